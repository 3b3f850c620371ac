#include <algorithm>

#include "base/fd.h"
#include "template/convert.h"
#include "template/legacy_json.h"
#include "template/pkr_json.h"
#include "template/program.h"

namespace kiln::tmpl {

namespace {

/// The text of a file, as one of the program's; null where it cannot be read, which is reported.
const SourceFile* add_file(Loading& loading, const fs::path& path) {
  auto text = loading.program->world.read_file(path);
  if (!text) {
    loading.error("Cannot read template", sentence(text.error().text()));
    return nullptr;
  }
  loading.sources[path.native()] = *text;
  loading.program->files.push_back(std::make_unique<SourceFile>(path.native(), std::move(text).take()));
  return loading.program->files.back().get();
}

void read_one(Loading& loading, const fs::path& path) {
  const SourceFile* added = add_file(loading, path);
  if (added == nullptr) return;
  const SourceFile& file = *added;
  if (path.native().ends_with(".json")) {
    auto root = read_json(file, loading.diagnostics);
    loading.program->bodies.push_back(packer_json_body(file, std::move(root), loading.diagnostics));
  } else {
    loading.program->bodies.push_back(parse_body(file, loading.diagnostics));
  }
}

/// Without a slash at its end.
std::string trimmed(const fs::path& directory) {
  return directory.has_filename() ? directory.native() : directory.parent_path().native();
}

void read_legacy(Loading& loading, const fs::path& path) {
  const SourceFile* added = add_file(loading, path);
  if (added == nullptr) return;
  const SourceFile& file = *added;
  Program& program = *loading.program;
  const std::size_t before = loading.diagnostics.size();
  const auto root = read_json(file, loading.diagnostics);
  const fs::path directory = program.world.cwd / program.root;
  const GoTextContext context{.now = program.world.now,
                              .cwd = program.world.cwd.native(),
                              .template_dir = trimmed(directory.lexically_normal()),
                              .packer_version = kPackerVersion,
                              .builder = {}};
  program.bodies.push_back(loading.diagnostics.size() > before ? SyntaxBody{}
                                                               : legacy_body(*root, context, loading.diagnostics));
  program.bodies.back().file = &file;
}

/// The names in a directory; problems are reported.
std::vector<std::string> names_in(Loading& loading, const fs::path& directory) {
  auto opened = open_dir(directory);
  auto names = opened ? list_dir((*opened).get()) : Result<std::vector<std::string>>(std::move(opened).error());
  if (!names) loading.error("Cannot read template", sentence(names.error().text()));
  return names ? std::move(names).take() : std::vector<std::string>();
}

void read_directory(Loading& loading, const fs::path& directory) {
  std::vector<fs::path> json_vars;
  std::vector<fs::path> templates;
  std::vector<fs::path> json_templates;
  for (const std::string& name : names_in(loading, directory)) {
    if (name.ends_with(".pkr.hcl")) templates.push_back(directory / name);
    if (name.ends_with(".pkr.json")) json_templates.push_back(directory / name);
    if (name.ends_with(".auto.pkrvars.hcl")) loading.auto_var_files.push_back(directory / name);
    if (name.ends_with(".auto.pkrvars.json")) json_vars.push_back(directory / name);
  }
  loading.auto_var_files.insert(loading.auto_var_files.end(), json_vars.begin(), json_vars.end());
  templates.insert(templates.end(), json_templates.begin(), json_templates.end());
  if (templates.empty() && loading.diagnostics.empty())
    loading.error("No template found", fmt::format("There is no file *.pkr.hcl or *.pkr.json in {}.", directory));
  for (const fs::path& file : templates) read_one(loading, file);
}

}  // namespace

void read_files(Loading& loading) {
  const fs::path& path = loading.options.path;
  Program& program = *loading.program;
  program.path = path;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    program.root = path;
    read_directory(loading, path);
    return;
  }
  program.root = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const std::string& name = path.native();
  if (name.ends_with(".hcl") || name.ends_with(".pkr.json")) {
    read_one(loading, path);
  } else {
    program.legacy = true;
    read_legacy(loading, path);
  }
}

void check_names(Loading& loading, const SyntaxBody& body, const std::vector<std::string>& attributes,
                 const std::vector<std::string>& blocks) {
  const auto known = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const Attribute& a : body.attributes) {
    if (known(attributes, a.name)) continue;
    std::string hint = did_you_mean(a.name, attributes);
    if (hint.empty() && known(blocks, a.name)) hint = fmt::format(" Did you mean a block, \"{} {{ ... }}\"?", a.name);
    loading.error("Unsupported argument", fmt::format("An argument named \"{}\" is not expected here.{}", a.name, hint),
                  body.file->range(a.name_span));
  }
  for (const Block& b : body.blocks) {
    if (known(blocks, b.type) || (b.type == "dynamic" && !blocks.empty())) continue;
    const std::string hint = known(attributes, b.type) ? fmt::format(" Did you mean an argument, \"{} = ...\"?", b.type)
                                                       : did_you_mean(b.type, blocks);
    loading.error("Unsupported block type", fmt::format("Blocks of type \"{}\" are not expected here.{}", b.type, hint),
                  body.file->range(b.type_span));
  }
}

void check_no_blocks(Loading& loading, const SyntaxBody& body) {
  for (const Block& b : body.blocks) {
    loading.error("Unexpected block", fmt::format("Blocks are not allowed here. Did you mean \"{} = ...\"?", b.type),
                  body.file->range(b.type_span));
  }
}

bool check_labels(Loading& loading, const Block& block, std::size_t count, const char* what) {
  if (block.labels.size() == count) return true;
  const bool more = block.labels.size() > count;
  const Span at = more ? block.label_spans[count] : block.header;
  loading.error(more ? "Extraneous label for " + block.type : "Missing label for " + block.type,
                fmt::format("A block of this type is written: {} {{ ... }}", what), block.body.file->range(at));
  return false;
}

std::optional<Value> constant(Loading& loading, const SyntaxBody& body, const std::string& name, const Type& type) {
  const Attribute* a = body.find(name);
  if (a == nullptr) return std::nullopt;
  Evaluation evaluation = loading.evaluation();
  const std::size_t before = loading.diagnostics.size();
  const Value raw = evaluate(*a->expr, *loading.program->scope, evaluation);
  if (loading.diagnostics.size() > before) return std::nullopt;
  auto value = convert(raw, type);
  if (value && (*value).is_known()) return std::move(value).take();
  if (value && (*value).is_null()) return std::nullopt;
  loading.error("Unsuitable value type",
                fmt::format("Unsuitable value for \"{}\": {}.", name,
                            value ? "it must be known before a build runs" : value.error().text()),
                a->expr->range());
  return std::nullopt;
}

}  // namespace kiln::tmpl
