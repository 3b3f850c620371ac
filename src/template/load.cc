#include <algorithm>
#include <set>
#include <tuple>

#include "template/builds.h"
#include "template/load.h"
#include "template/locals.h"
#include "template/overview.h"
#include "template/version_constraint.h"

namespace kiln::tmpl {

namespace {

/// name = { source = "host/namespace/type", version = ">= 1.0.0" }: read for its mistakes only.
void check_required_plugins(Loading& loading, const Block& block) {
  if (!check_labels(loading, block, 0, "required_plugins")) return;
  check_no_blocks(loading, block.body);
  for (const Attribute& a : block.body.attributes) {
    const auto given = constant(loading, block.body, a.name, Type::map(Type::string()));
    if (!given || !given->is_wholly_known()) continue;
    const auto fail = [&](std::string what) {
      loading.error("Invalid required_plugins object", fmt::format("Plugin \"{}\": {}", a.name, what), a.expr->range());
    };
    for (const auto& [name, value] : given->entries()) {
      if (name != "source" && name != "version") fail(fmt::format("there is no \"{}\".", name));
      if (value.is_null()) continue;
      const auto meets = name == "version" ? version_meets("0", value.text()) : Result<bool>(true);
      if (!meets) fail(sentence(meets.error().text()));
      const bool path = std::ranges::count(value.text(), '/') >= 1 && !value.text().starts_with('/');
      if (name == "source" && !path) fail("a source looks like \"github.com/hashicorp/amazon\".");
    }
  }
}

void check_packer_block(Loading& loading, const Block& block) {
  check_labels(loading, block, 0, "packer");
  check_names(loading, block.body, {"required_version"}, {"required_plugins"});
  for (const Block& inner : block.body.blocks) check_required_plugins(loading, inner);
  const auto wanted = constant(loading, block.body, "required_version", Type::string());
  if (!wanted) return;
  const Range at = block.body.find("required_version")->expr->range();
  const auto meets = version_meets(kPackerVersion, wanted->text());
  if (!meets) {
    loading.error("Invalid version constraint",
                  fmt::format("{} A constraint looks like \">= 1.7.0, < 2.0.0\".", sentence(meets.error().text())), at);
  } else if (!*meets) {
    loading.error("Unsupported Packer version",
                  fmt::format("The template wants Packer {}; templates are read as Packer {} reads them.",
                              wanted->text(), kPackerVersion),
                  at);
  }
}

void check_top_level(Loading& loading, const SyntaxBody& body) {
  check_names(loading, body, {},
              {"packer", "variable", "variables", "local", "locals", "source", "build", "data", "hcp_packer_registry",
               "communicator"});
  for (const Block& block : body.blocks) {
    if (block.type == "packer") check_packer_block(loading, block);
    if (block.type == "hcp_packer_registry")
      loading.warn("HCP Packer registry is not used", "kiln does not publish to HCP Packer; this block has no effect.",
                   block.range());
  }
}

/// Every component of the selected builds once, for its problems.
void decode_all(Loading& loading, const std::vector<Build>& builds) {
  for (const Build& build : builds) {
    build.builder.decode(loading.diagnostics);
    for (const Provisioner& p : build.provisioners) p.decode(loading.diagnostics);
    if (build.error_cleanup) build.error_cleanup->decode(loading.diagnostics);
    for (const auto& chain : build.post_processors) {
      for (const PostProcessor& p : chain) p.decode(loading.diagnostics);
    }
  }
}

void evaluate_template(Loading& loading, Template& out) {
  for (const SyntaxBody& body : loading.program->bodies) check_top_level(loading, body);
  set_context(loading);
  Variables variables = read_variables(loading);
  assign_variables(loading, variables);
  validate_variables(loading, variables);
  const Value var = variables_object(variables);
  loading.program->scope->set("var", var);
  collect_secrets(var, out.secrets);
  evaluate_locals(loading, out.secrets);
  out.builds = read_builds(loading);
  decode_all(loading, out.builds);
  out.variables = variable_infos(variables);
  std::sort(out.secrets.begin(), out.secrets.end());
  out.secrets.erase(std::unique(out.secrets.begin(), out.secrets.end()), out.secrets.end());
  if (!out.secrets.empty() && out.secrets.front().empty()) out.secrets.erase(out.secrets.begin());
}

/// In order of files and places, each once, with the block around it.
void tidy(Loading& loading) {
  const Program& program = *loading.program;
  const auto file_index = [&](const Diagnostic& d) {
    if (!d.subject) return program.files.size() + 1;
    for (std::size_t i = 0; i < program.files.size(); ++i) {
      if (program.files[i]->name() == d.subject->file) return i;
    }
    return program.files.size();
  };
  const auto place = [&](const Diagnostic& d) {
    return std::pair(file_index(d), d.subject ? d.subject->start.byte : 0U);
  };
  std::stable_sort(loading.diagnostics.begin(), loading.diagnostics.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
  std::set<std::tuple<std::size_t, std::uint32_t, std::string, std::string>> seen;
  const auto again = [&](const Diagnostic& d) {
    return !seen.emplace(file_index(d), d.subject ? d.subject->start.byte : 0U, d.summary, d.detail).second;
  };
  std::erase_if(loading.diagnostics, again);
  for (Diagnostic& d : loading.diagnostics) {
    const std::size_t index = file_index(d);
    if (index >= program.files.size() || d.subject->file.ends_with(".json")) continue;  // JSON has no block headers
    for (const Block& block : program.bodies[index].blocks) {
      if (block.header.begin <= d.subject->start.byte && d.subject->start.byte <= block.body.span.end)
        d.context = program.files[index]->range({block.header.begin, block.body.span.end});
    }
  }
}

}  // namespace

void set_context(Loading& loading) {
  Program& program = *loading.program;
  program.scope->set("path", Value::object({{"cwd", Value::string(program.world.cwd.native())},
                                            {"root", Value::string(program.root.native())}}));
  const Value from_hcp = Value::unknown(Type::string());
  program.scope->set("packer", Value::object({{"version", Value::string(kPackerVersion)},
                                              {"iterationID", from_hcp},
                                              {"versionFingerprint", from_hcp}}));
}

std::vector<VariableInfo> variable_infos(const Variables& variables) {
  std::vector<VariableInfo> out;
  for (const auto& [name, v] : variables) {
    out.push_back({name, v.constraint.type.text(), v.description, v.value.value_or(Value::unknown(v.constraint.type)),
                   v.sensitive});
    if (v.sensitive) out.back().value = out.back().value.marked(Marks::sensitive());
  }
  return out;
}

Loaded check_syntax(const LoadOptions& options, const World& world) {
  Loading loading(options, world);
  read_files(loading);
  tidy(loading);
  return {.result = {}, .diagnostics = std::move(loading.diagnostics), .sources = std::move(loading.sources)};
}

Loaded load(const LoadOptions& options, const World& world) {
  Loading loading(options, world);
  read_files(loading);
  Template out{
      .path = loading.program->path, .root = loading.program->root, .builds = {}, .variables = {}, .secrets = {}};
  if (!has_errors(loading.diagnostics)) evaluate_template(loading, out);
  loading.program->spent = nullptr;
  tidy(loading);
  Loaded loaded{.result = {}, .diagnostics = std::move(loading.diagnostics), .sources = std::move(loading.sources)};
  if (!has_errors(loaded.diagnostics)) loaded.result = std::move(out);
  return loaded;
}

}  // namespace kiln::tmpl
