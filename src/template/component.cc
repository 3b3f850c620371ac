#include "template/component.h"

#include "template/component_text.h"
#include "template/convert.h"

namespace kiln::tmpl {

namespace {

/// Names of build.* that Packer and its builders give to provisioners and post-processors.
constexpr const char* kBuildNames[] = {
    "ID",
    "Host",
    "Port",
    "User",
    "Password",
    "ConnType",
    "PackerRunUUID",
    "PackerHTTPIP",
    "PackerHTTPPort",
    "PackerHTTPAddr",
    "SSHPublicKey",
    "SSHPrivateKey",
    "WinRMPassword",
    "SourceAMI",
    "SourceAMIName",
    "SourceAMICreationDate",
    "SourceAMIOwner",
    "SourceAMIOwnerName",
    "BuildRegion",
    "ImageSha256",
    "SourceImageSha256",
    "SourceImageDigest",
    "SourceImageName",
};

Value build_object(const Component::Source& source, const BuildValues* values) {
  Value::Entries entries = {{"name", Value::string(source.build_name)}};
  if (source.in_build) {
    for (const char* name : kBuildNames) entries[name] = Value::unknown(Type::string());
  }
  if (values != nullptr) {
    for (const auto& [name, value] : *values) entries[name] = Value::string(value);
  }
  return Value::object(std::move(entries));
}

std::shared_ptr<const Scope> scope_for(const Component::Source& source, const std::shared_ptr<const Scope>& outer,
                                       const BuildValues* values) {
  auto scope = std::make_shared<Scope>(outer);
  scope->set("build", build_object(source, values));
  scope->set("source",
             Value::object({{"type", Value::string(source.source_type)}, {"name", Value::string(source.source_name)}}));
  return scope;
}

/// Adds what a build says about a source to the source's own body.
void merge_extra(Body& body, const Body& extra, Diagnostics& diagnostics) {
  for (const auto& [name, option] : extra.options) {
    const auto [it, fresh] = body.options.emplace(name, option);
    if (fresh) continue;
    const Range& first = it->second.name_range;
    diagnostics.push_back({.summary = "Duplicate argument",
                           .detail = fmt::format("Argument \"{}\" was already set at {}:{},{}.", name, first.file,
                                                 first.start.line, first.start.column),
                           .subject = option.name_range,
                           .context = {}});
  }
  for (const auto& [type, blocks] : extra.blocks) {
    auto& all = body.blocks[type];
    all.insert(all.end(), blocks.begin(), blocks.end());
  }
}

void apply_overrides(Body& body, const Option& overrides) {
  if (!overrides.value.is_known()) return;
  const Marks marks = overrides.value.marks();
  for (const auto& [name, value] : overrides.value.entries()) {
    body.options[name] = {value.marked(marks), overrides.range, overrides.name_range};
    body.blocks.erase(name);
  }
}

/// Of an HCL2 template; in old JSON templates it is done already.
void render_strings(Body& body, const Component& component, const Scope& scope, Evaluation& evaluation) {
  const Program& program = *component.source->program;
  if (program.legacy) return;
  const fs::path root = (program.world.cwd / program.root).lexically_normal();
  GoTextContext context;
  context.now = program.world.now;
  context.cwd = program.world.cwd.native();
  context.template_dir = (root.has_filename() ? root : root.parent_path()).native();
  context.packer_version = kPackerVersion;
  context.builder = component.source->in_build ? "" : component.type;
  context.hcl = true;
  render_component(body, context, scope, evaluation);
}

}  // namespace

std::optional<Body> Component::decode(Diagnostics& diagnostics, const BuildValues* values) const {
  Diagnostics problems;
  const Program& program = *source->program;
  Evaluation evaluation{&program.world, program.root, &problems};
  if (program.spent) evaluation.spent = program.spent;
  Body body = evaluate_body(*source->body, scope_for(*source, source->scope, values), evaluation, source->meta);
  body.range = range;
  body.weak = program.legacy;
  if (source->extra != nullptr) {
    const auto scope = scope_for(*source, source->extra_scope, values);
    merge_extra(body, evaluate_body(*source->extra, scope, evaluation, {"name"}), problems);
  }
  if (source->overrides) apply_overrides(body, *source->overrides);
  if (!has_errors(problems)) render_strings(body, *this, *scope_for(*source, source->scope, values), evaluation);
  const bool failed = has_errors(problems);
  diagnostics.insert(diagnostics.end(), problems.begin(), problems.end());
  return failed ? std::nullopt : std::optional(std::move(body));
}

}  // namespace kiln::tmpl
