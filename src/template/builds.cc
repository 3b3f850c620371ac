#include "template/builds.h"

#include <algorithm>

#include "base/text.h"
#include "template/build_steps.h"
#include "template/component.h"
#include "template/convert.h"
#include "template/lexer.h"

namespace kiln::tmpl {

namespace {

using SharedScope = std::shared_ptr<const Scope>;

struct SourceBlock {
  std::string type, name;
  const SyntaxBody* body = nullptr;
  SharedScope scope;
  Range range;
};
using SourceBlocks = std::map<std::string, SourceBlock>;  // by "type.name"

/// A source that a build names, with what the build adds to it.
struct Use {
  std::string type, name;  // of the source block
  std::string local_name;  // what the build calls it
  const SyntaxBody* extra = nullptr;
  SharedScope extra_scope;
  Range range;
};

void add_source(Loading& loading, SourceBlocks& sources, const ExpandedBlock& block) {
  if (block.labels.size() != 2) {
    check_labels(loading, *block.source, 2, "source \"type\" \"name\"");
    return;
  }
  const std::string key = block.labels[0] + "." + block.labels[1];
  const Range at = block.source->range();
  const auto [it, fresh] =
      sources.emplace(key, SourceBlock{block.labels[0], block.labels[1], block.body, block.scope, at});
  if (fresh) return;
  const Range& first = it->second.range;
  loading.error("Duplicate source block",
                fmt::format("Source {} was already declared at {}:{},{}. Each pair of type and name must be unique.",
                            key, first.file, first.start.line, first.start.column),
                at);
}

/// "source.type.name", "sources.type.name" or "type.name".
std::optional<Use> parse_reference(const std::string& text) {
  std::vector<std::string> parts = split(text, '.');
  if (parts.size() > 2) parts.erase(parts.begin());
  const auto is_name = [](const std::string& s) { return !s.empty() && identifier_bytes(s) == s.size(); };
  if (parts.size() != 2 || !is_name(parts[0]) || !is_name(parts[1])) return std::nullopt;
  return Use{.type = parts[0], .name = parts[1], .local_name = parts[1]};
}

class BuildReader {
 public:
  BuildReader(Loading& loading, const SourceBlocks& sources, std::vector<std::string>& all_names)
      : loading_(loading), sources_(sources), all_names_(all_names) {}
  void read(const ExpandedBlock& block, std::vector<Build>& out);

 private:
  std::vector<Use> uses(const ExpandedBlock& block);
  void add_use(std::vector<Use>& out, const std::string& text, const Range& at);
  void listed(const Attribute& attribute, const Scope& scope, std::vector<Use>& out);
  void nested(const ExpandedBlock& block, std::vector<Use>& out);
  bool selected(const std::string& name) const;
  Build make(const Use& use, std::string name, const std::string& build_name, const StepBlocks& steps);

  Loading& loading_;
  const SourceBlocks& sources_;
  std::vector<std::string>& all_names_;
  std::vector<ExpandedBlock> blocks_;
};

void BuildReader::add_use(std::vector<Use>& out, const std::string& text, const Range& at) {
  auto use = parse_reference(text);
  if (!use) {
    loading_.error("Invalid source reference",
                   fmt::format("\"{}\" names no source. A reference looks like \"source.type.name\".", text), at);
    return;
  }
  const std::string key = use->type + "." + use->name;
  if (!sources_.contains(key)) {
    std::vector<std::string> known;
    for (const auto& [name, source] : sources_) known.push_back(name);
    loading_.error("Unknown source",
                   fmt::format("There is no source \"{}\".{}{}", key, did_you_mean(key, known),
                               known.empty() ? "" : " Known: " + join(known, ", ") + "."),
                   at);
    return;
  }
  use->range = at;
  out.push_back(std::move(*use));
}

void BuildReader::listed(const Attribute& attribute, const Scope& scope, std::vector<Use>& out) {
  Evaluation evaluation = loading_.evaluation();
  const std::size_t before = loading_.diagnostics.size();
  const Value raw = evaluate(*attribute.expr, scope, evaluation);
  if (loading_.diagnostics.size() > before) return;
  const auto list = convert(raw, Type::list(Type::string()));
  if (!list || !(*list).is_known() || !(*list).is_wholly_known()) {
    loading_.error("Unsuitable value type", "Unsuitable value for \"sources\": a list of known strings is required.",
                   attribute.expr->range());
    return;
  }
  const auto* tuple = std::get_if<TupleExpr>(&unwrapped(*attribute.expr).node);
  for (std::size_t i = 0; i < (*list).length(); ++i) {
    const Value& element = (*list).elements()[i];
    const bool has_place = tuple != nullptr && tuple->elements.size() == (*list).length();
    add_use(out, element.is_null() ? "" : element.text(),
            has_place ? tuple->elements[i]->range() : attribute.expr->range());
  }
}

void BuildReader::nested(const ExpandedBlock& block, std::vector<Use>& out) {
  if (block.labels.size() != 1) {
    check_labels(loading_, *block.source, 1, "source \"source.type.name\"");
    return;
  }
  const std::size_t before = out.size();
  add_use(out, block.labels[0], block.source->range());
  if (out.size() == before) return;
  Use& use = out.back();
  use.extra = block.body;
  use.extra_scope = block.scope;
  if (const auto name = constant(loading_, *block.body, "name", Type::string())) use.local_name = name->text();
}

std::vector<Use> BuildReader::uses(const ExpandedBlock& block) {
  std::vector<Use> out;
  if (const Attribute* list = block.body->find("sources")) listed(*list, *block.scope, out);
  for (const ExpandedBlock& b : blocks_) {
    if (b.type == "source") nested(b, out);
  }
  return out;
}

bool BuildReader::selected(const std::string& name) const {
  const auto hits = [&](const std::vector<std::string>& globs) {
    return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) { return glob_match(glob, name); });
  };
  const LoadOptions& options = loading_.options;
  if (loading_.program->legacy) {
    const auto has = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    return (options.only.empty() || has(options.only)) && !has(options.except);
  }
  return (options.only.empty() || hits(options.only)) && !hits(options.except);
}

Build BuildReader::make(const Use& use, std::string name, const std::string& build_name, const StepBlocks& steps) {
  const SourceBlock& source = sources_.at(use.type + "." + use.name);
  Build build{.name = std::move(name), .type = use.type, .source_name = use.local_name};
  auto behind = std::make_shared<Component::Source>();
  behind->program = loading_.program;
  behind->body = source.body;
  behind->scope = source.scope;
  behind->extra = use.extra;
  behind->extra_scope = use.extra_scope;
  behind->build_name = build_name;
  behind->source_type = use.type;
  behind->source_name = use.local_name;
  build.builder.type = use.type;
  build.builder.name = use.local_name;
  build.builder.range = source.range;
  build.builder.source = std::move(behind);
  add_steps(loading_, steps, build_name, build);
  return build;
}

void BuildReader::read(const ExpandedBlock& block, std::vector<Build>& out) {
  Evaluation evaluation = loading_.evaluation();
  check_names(loading_, *block.body, {"name", "description", "sources"},
              {"source", "provisioner", "error-cleanup-provisioner", "post-processor", "post-processors",
               "hcp_packer_registry", "from"});
  blocks_ = expand_blocks(*block.body, block.scope, evaluation);
  std::string build_name;
  if (const auto name = constant(loading_, *block.body, "name", Type::string())) build_name = name->text();
  constant(loading_, *block.body, "description", Type::string());
  const std::vector<Use> all = uses(block);
  const StepBlocks steps = read_steps(loading_, blocks_);
  if (all.empty() && !has_errors(loading_.diagnostics))
    loading_.error("Missing source", "This build names no source. Add one: sources = [\"source.type.name\"]",
                   block.source->range());
  for (const Use& use : all) {
    std::string name = (build_name.empty() ? "" : build_name + ".") + use.type + "." + use.local_name;
    if (loading_.program->legacy) name = use.local_name;
    all_names_.push_back(name);
    if (selected(name)) out.push_back(make(use, std::move(name), build_name, steps));
  }
}

/// Says which patterns meet nothing, and that there is nothing to do if so.
void check_selection(Loading& loading, const std::vector<Build>& builds, const std::vector<std::string>& names) {
  const LoadOptions& options = loading.options;
  for (const std::string& glob : options.only) {
    if (loading.program->legacy) break;  // unknown names do not matter there
    if (std::any_of(names.begin(), names.end(), [&](const std::string& n) { return glob_match(glob, n); })) continue;
    loading.warn("Pattern matches no build", fmt::format("-only={} matches none of the builds: {}.{}", glob,
                                                         join(names, ", "), did_you_mean(glob, names)));
  }
  if (!builds.empty() || !options.needs_builds || has_errors(loading.diagnostics)) return;
  loading.error("No builds to run", names.empty()
                                        ? "The template has no build block."
                                        : "-only and -except leave none of the builds: " + join(names, ", ") + ".");
}

}  // namespace

std::vector<Build> read_builds(Loading& loading) {
  SourceBlocks sources;
  std::vector<ExpandedBlock> builds;
  Evaluation evaluation = loading.evaluation();
  for (const SyntaxBody& body : loading.program->bodies) {
    for (ExpandedBlock& block : expand_blocks(body, loading.program->scope, evaluation)) {
      if (block.type == "source") add_source(loading, sources, block);
      if (block.type == "build" &&
          check_labels(loading, *block.source, block.source->type == "dynamic" ? 1 : 0, "build"))
        builds.push_back(std::move(block));
    }
  }
  std::vector<Build> out;
  std::vector<std::string> names;
  for (const ExpandedBlock& block : builds) BuildReader(loading, sources, names).read(block, out);
  check_selection(loading, out, names);
  return out;
}

}  // namespace kiln::tmpl
