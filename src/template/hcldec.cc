#include "template/hcldec.h"

#include <fmt/format.h>

#include "base/text.h"
#include "template/cty_json.h"
#include "template/functions_support.h"
#include "template/hcldec_spec.h"

namespace kiln::tmpl {

namespace {

/// The files of one run; they outlive every tree.
class Files {
 public:
  Files(const World& world, Hcldec& out) : world_(world), out_(out) {}
  /// Empty (reported) when the file cannot be read or has errors.
  std::optional<SyntaxBody> read(const fs::path& path);
  std::optional<SyntaxBody> parse(std::string name, std::string text, bool json);

 private:
  const World& world_;
  Hcldec& out_;
  std::vector<std::unique_ptr<SourceFile>> files_;
};

std::optional<SyntaxBody> Files::parse(std::string name, std::string text, bool json) {
  out_.sources[name] = text;
  files_.push_back(std::make_unique<SourceFile>(std::move(name), std::move(text)));
  const SourceFile& file = *files_.back();
  const std::size_t before = out_.diagnostics.size();
  SyntaxBody body =
      json ? json_body(file, read_json(file, out_.diagnostics)) : parse_body(file, out_.diagnostics, Report::as_hcl);
  if (out_.diagnostics.size() > before) return std::nullopt;
  return body;
}

std::optional<SyntaxBody> Files::read(const fs::path& path) {
  auto text = world_.read_file(path);
  if (text) return parse(path.native(), std::move(text).take(), path.native().ends_with(".json"));
  out_.diagnostics.push_back({.summary = "Failed to read file",
                              .detail = fmt::format("The file {} could not be read: {}.", path, text.error().text()),
                              .subject = {},
                              .context = {}});
  return std::nullopt;
}

void read_vars(const HcldecOptions& options, const World& world, Files& files, Scope& scope, Diagnostics& out) {
  for (std::size_t i = 0; i < options.vars.size(); ++i) {
    const std::string& vars = options.vars[i];
    const auto body =
        trim(vars).starts_with('{') ? files.parse(fmt::format("<vars argument {}>", i), vars, true) : files.read(vars);
    if (!body) continue;
    const Content content = read_arguments(*body, out, JsonStrings::literal);
    for (const auto& [name, a] : content.arguments) scope.set(name, evaluate_in(*a->expr, Scope(), {}, world, out));
  }
}

std::string position_json(const Pos& p) {
  return fmt::format("{{\"line\":{},\"column\":{},\"byte\":{}}}", p.line, p.column, p.byte);
}

}  // namespace

std::string diagnostics_json(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& d : diagnostics) {
    out += out.empty() ? "" : ",";
    out +=
        fmt::format("{{\"severity\":\"{}\",\"summary\":{},\"detail\":{}",
                    d.severity == Severity::error ? "error" : "warning", json_quoted(d.summary), json_quoted(d.detail));
    if (d.subject) {
      out += fmt::format(",\"subject\":{{\"filename\":{},\"start\":{},\"end\":{}}}", json_quoted(d.subject->file),
                         position_json(d.subject->start), position_json(d.subject->end));
    }
    out += "}";
  }
  return "{\"diagnostics\":[" + out + "]}";
}

Result<Hcldec> hcldec(const HcldecOptions& options, const World& world) {
  Hcldec out;
  Files files(world, out);
  const auto spec_body = files.read(options.spec);
  if (!spec_body) return out;
  const SpecFile spec = read_spec(*spec_body, world, out.diagnostics);
  if (has_errors(out.diagnostics)) return out;
  read_vars(options, world, files, *spec.scope.names, out.diagnostics);
  const auto body = files.read(options.input);
  if (has_errors(out.diagnostics) || !body) return out;
  if (options.var_refs) {
    out.output = references_json(*spec.root, *body, spec.scope, world);
    return out;
  }
  const Value value = decode(*spec.root, *body, spec.scope, world, out.diagnostics);
  if (has_errors(out.diagnostics)) return out;
  const JsonNulls nulls = options.keep_nulls ? JsonNulls::keep : JsonNulls::drop;
  out.output = TRY(options.with_type ? typed_value_json(value, nulls) : value_json(value, nulls));
  return out;
}

}  // namespace kiln::tmpl
