// From text to syntax tree (syntax.h). A file's problems are all reported: after one the parser goes on with the next
// argument or block.
#pragma once

#include "template/syntax.h"

namespace kiln::tmpl {

constexpr std::size_t kMaxNesting = 200;  // of blocks, expressions, templates
constexpr std::size_t kMaxErrors = 50;    // per file; then the parser stops

/// every_item: what is wrong in each argument and block. as_hcl: after the first error only what hashicorp/hcl v2 also
/// reports, for those who compare.
enum class Report : std::uint8_t { every_item, as_hcl };

/// A whole configuration file.
SyntaxBody parse_body(const SourceFile& file, Diagnostics& diagnostics, Report report = Report::every_item);

/// The whole text as one expression; empty when there were errors.
ExprPtr parse_expression(const SourceFile& file, Diagnostics& diagnostics);

/// The whole text as a template (templatefile); empty when there were errors.
ExprPtr parse_template(const SourceFile& file, Diagnostics& diagnostics);

}  // namespace kiln::tmpl
