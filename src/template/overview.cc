#include "template/overview.h"

#include <algorithm>

#include "base/text.h"
#include "template/convert.h"
#include "template/load.h"
#include "template/locals.h"
#include "template/parser.h"

namespace kiln::tmpl {

namespace {

/// Reads builds block by block; what is wrong with one is left out.
class BuildsSeen {
 public:
  explicit BuildsSeen(Loading& loading) : loading_(loading) {}

  void read(Overview& out) {
    for (const SyntaxBody& body : loading_.program->bodies) {
      for (const ExpandedBlock& block : expand(body, loading_.program->scope)) {
        if (block.type == "build") out.builds.push_back(build(block));
        if (block.type == "source" && !block.labels.empty()) out.source_types.push_back(block.labels[0]);
        if (block.type == "packer") add_plugins(*block.body, out.plugins);
      }
    }
    std::sort(out.source_types.begin(), out.source_types.end());
    out.source_types.erase(std::unique(out.source_types.begin(), out.source_types.end()), out.source_types.end());
  }

 private:
  std::vector<ExpandedBlock> expand(const SyntaxBody& body, const std::shared_ptr<const Scope>& scope) {
    Evaluation evaluation = loading_.evaluation();
    return expand_blocks(body, scope, evaluation);
  }

  /// A known value of this type, else nothing.
  std::optional<Value> value(const ExpandedBlock& block, const std::string& name, const Type& type) {
    const Attribute* a = block.body->find(name);
    if (a == nullptr) return std::nullopt;
    Evaluation evaluation = loading_.evaluation();
    auto converted = convert(tmpl::evaluate(*a->expr, *block.scope, evaluation), type);
    if (!converted || (*converted).is_null() || !(*converted).is_wholly_known()) return std::nullopt;
    return std::move(converted).take();
  }
  std::string text(const ExpandedBlock& block, const std::string& name) {
    const auto v = value(block, name, Type::string());
    return v ? v->text() : std::string();
  }

  std::string title(const ExpandedBlock& block) {
    const std::string type = block.labels.empty() ? "" : block.labels[0];
    const std::string name = text(block, "name");
    return name.empty() ? type : type + "." + name;
  }

  static std::string reference(const std::string& written) {
    std::vector<std::string> parts = split(written, '.');
    if (parts.size() > 2) parts.erase(parts.begin());
    return join(parts, ".");
  }

  std::string used_source(const ExpandedBlock& block) {
    const std::string named = reference(block.labels.empty() ? "" : block.labels[0]);
    const std::string name = text(block, "name");
    return name.empty() ? named : named.substr(0, named.find('.')) + "." + name;
  }

  BuildOverview build(const ExpandedBlock& block) {
    BuildOverview out{.name = text(block, "name"), .description = text(block, "description")};
    if (const auto list = value(block, "sources", Type::list(Type::string()))) {
      for (const Value& source : list->elements())
        out.sources.push_back(reference(source.is_null() ? "" : source.text()));
    }
    for (const ExpandedBlock& inner : expand(*block.body, block.scope)) {
      if (inner.type == "source") out.sources.push_back(used_source(inner));
      if (inner.type == "provisioner") out.provisioners.push_back(title(inner));
      if (inner.type == "error-cleanup-provisioner") out.error_cleanup = title(inner);
      if (inner.type == "post-processor") out.chains.push_back({title(inner)});
      if (inner.type == "post-processors") out.chains.push_back(chain(inner));
    }
    return out;
  }

  std::vector<std::string> chain(const ExpandedBlock& block) {
    std::vector<std::string> out;
    for (const ExpandedBlock& inner : expand(*block.body, block.scope)) {
      if (inner.type == "post-processor") out.push_back(title(inner));
    }
    return out;
  }

  void add_plugins(const SyntaxBody& packer, std::vector<PluginWish>& out) {
    for (const Block& block : packer.blocks) {
      if (block.type != "required_plugins") continue;
      for (const Attribute& a : block.body.attributes) {
        Evaluation evaluation = loading_.evaluation();
        const Value wish = tmpl::evaluate(*a.expr, *loading_.program->scope, evaluation);
        const auto field = [&](const char* name) -> std::string {
          if (!wish.is_wholly_known() || !(wish.is(Kind::object) || wish.is(Kind::map))) return {};
          const auto it = wish.entries().find(name);
          return it != wish.entries().end() && it->second.is(Kind::string) ? it->second.text() : std::string();
        };
        out.push_back({a.name, field("source"), field("version")});
      }
    }
  }

  Loading& loading_;
};

void add_locals(Loading& loading, Overview& out) {
  std::vector<std::string> secrets;
  const std::set<std::string> failed = evaluate_locals(loading, secrets);
  const Value* locals = loading.program->scope->find("local");
  Value::Entries good;
  for (const auto& [name, value] : locals->entries()) {
    if (failed.contains(name)) continue;
    out.locals.push_back({name, value.type().text(), {}, value, value.is_sensitive()});
    good[name] = value;
  }
  loading.program->scope->set("local", Value::object(std::move(good)));
}

/// What only a build knows.
void set_unknown(Loading& loading) {
  for (const char* name : {"build", "source"}) loading.program->scope->set(name, Value::unknown());
}

}  // namespace

Overview look_at(const LoadOptions& options, const World& world) {
  Loading loading(options, world);
  loading.program->root = ".";
  if (!options.path.empty()) read_files(loading);
  Overview out;
  if (!has_errors(loading.diagnostics)) {
    set_context(loading);
    Variables variables = read_variables(loading);
    for (auto& [name, v] : variables) {
      if (!v.value) v.value = Value::unknown(v.constraint.type);  // it needs none here
    }
    assign_variables(loading, variables);
    loading.program->scope->set("var", variables_object(variables));
    out.variables = variable_infos(variables);
    Diagnostics until_here = std::move(loading.diagnostics);
    loading.diagnostics.clear();
    add_locals(loading, out);
    set_unknown(loading);
    BuildsSeen(loading).read(out);
    loading.diagnostics = std::move(until_here);
  }
  out.diagnostics = std::move(loading.diagnostics);
  out.sources = std::move(loading.sources);
  out.program = loading.program;
  return out;
}

std::optional<Value> Overview::evaluate(const std::string& text, Diagnostics& problems, Sources& texts) const {
  const SourceFile source("<console-input>", text);
  texts[source.name()] = text;
  Diagnostics found;
  const ExprPtr expr = parse_expression(source, found);
  Evaluation evaluation{&program->world, program->root, &found};
  std::optional<Value> value;
  if (expr) value = tmpl::evaluate(*expr, *program->scope, evaluation);
  if (has_errors(found)) value.reset();
  problems.insert(problems.end(), found.begin(), found.end());
  return value;
}

}  // namespace kiln::tmpl
