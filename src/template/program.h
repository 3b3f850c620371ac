// One loaded template: its files, their syntax trees and what expressions can see. Components keep it alive, because
// they are decoded again while building. Private to the room.
#pragma once

#include "template/expand.h"

namespace kiln::tmpl {

struct Program {
  World world;
  fs::path path, root;
  std::vector<std::unique_ptr<SourceFile>> files;
  std::vector<SyntaxBody> bodies;  // of files, same order
  bool legacy = false;             // an old JSON template: builds have the builders' names, exactly
  std::shared_ptr<Scope> scope = std::make_shared<Scope>();
  std::shared_ptr<Spent> spent = std::make_shared<Spent>();  // by what is evaluated while loading; then nothing
};

/// Everything that loading passes along.
struct Loading {
  Loading(const LoadOptions& from, const World& world) : options(from) { program->world = world; }

  const LoadOptions& options;
  std::shared_ptr<Program> program = std::make_shared<Program>();
  std::vector<fs::path> auto_var_files;  // of a directory, in order
  Diagnostics diagnostics;
  Sources sources;

  Evaluation evaluation() {
    return {.world = &program->world, .root = program->root, .diagnostics = &diagnostics, .spent = program->spent};
  }
  void error(std::string summary, std::string detail, std::optional<Range> subject = {}) {
    diagnostics.push_back(
        {.summary = std::move(summary), .detail = std::move(detail), .subject = std::move(subject), .context = {}});
  }
  void warn(std::string summary, std::string detail, std::optional<Range> subject = {}) {
    error(std::move(summary), std::move(detail), std::move(subject));
    diagnostics.back().severity = Severity::warning;
  }
};

inline constexpr const char* kPackerVersion = "1.16.0";  // the language that templates are read as

/// files.cc: reads and parses the files that options.path names.
void read_files(Loading& loading);

/// Reports attributes and blocks of body whose names are not among those allowed.
void check_names(Loading& loading, const SyntaxBody& body, const std::vector<std::string>& attributes,
                 const std::vector<std::string>& blocks);
/// Reports any block in a body of free attributes (locals, variables).
void check_no_blocks(Loading& loading, const SyntaxBody& body);
/// Reports a block with the wrong number of labels.
bool check_labels(Loading& loading, const Block& block, std::size_t count, const char* what);

/// A constant string or bool attribute (description, sensitive ...); absent or wrong (reported): nothing.
std::optional<Value> constant(Loading& loading, const SyntaxBody& body, const std::string& name, const Type& type);

}  // namespace kiln::tmpl
