#include "template/build_steps.h"

#include <algorithm>

#include "base/text.h"
#include "template/component.h"
#include "template/convert.h"

namespace kiln::tmpl {

namespace {

const std::set<std::string> kProvisionerMeta = {"name",    "only",        "except",   "pause_before",
                                                "timeout", "max_retries", "override", "continue_on_error"};
const std::set<std::string> kPostProcessorMeta = {"name", "only", "except", "keep_input_artifact"};

/// Reads general attributes of one block.
class StepReader {
 public:
  StepReader(Loading& loading, const ExpandedBlock& block) : loading_(loading), block_(block) {}

  std::optional<Value> value(const std::string& name, const Type& type, const char* what) {
    const Attribute* a = block_.body->find(name);
    if (a == nullptr) return std::nullopt;
    Evaluation evaluation = loading_.evaluation();
    const std::size_t before = loading_.diagnostics.size();
    const Value raw = evaluate(*a->expr, *block_.scope, evaluation);
    if (loading_.diagnostics.size() > before || raw.is_null()) return std::nullopt;
    auto converted = convert(raw, type);
    if (converted && (*converted).is_wholly_known()) return std::move(converted).take();
    refuse(*a, what, converted ? "it must be known before a build runs" : converted.error().text());
    return std::nullopt;
  }
  std::string string(const std::string& name) {
    const auto v = value(name, Type::string(), "a string");
    return v ? v->text() : std::string();
  }
  std::optional<bool> boolean(const std::string& name) {
    const auto v = value(name, Type::boolean(), "true or false");
    return v ? std::optional(v->truth()) : std::nullopt;
  }
  std::vector<std::string> strings(const std::string& name) {
    std::vector<std::string> out;
    const auto v = value(name, Type::list(Type::string()), "a list of strings");
    if (!v) return out;
    for (const Value& element : v->elements()) out.push_back(element.is_null() ? "" : element.text());
    return out;
  }
  std::optional<Duration> duration(const std::string& name) {
    const auto v = value(name, Type::string(), "a duration");
    if (!v) return std::nullopt;
    auto duration = parse_go_duration(v->text());
    if (duration && *duration >= Duration(0)) return *duration;
    refuse(*block_.body->find(name), "a duration such as \"30s\" or \"1h15m\"", "this text is not one");
    return std::nullopt;
  }
  std::uint32_t count(const std::string& name) {
    const auto v = value(name, Type::number(), "a whole number");
    if (!v) return 0;
    const auto n = v->number().to_int();
    if (n && *n >= 0 && *n <= UINT32_MAX) return static_cast<std::uint32_t>(*n);
    refuse(*block_.body->find(name), "a whole number", "it must not be negative or a fraction");
    return 0;
  }
  std::optional<Option> overrides() {
    const auto v = value("override", Type::dynamic(), "an object of objects");
    if (!v) return std::nullopt;
    const Attribute& a = *block_.body->find("override");
    const auto is_map = [](const Value& x) { return x.is_known() && (x.is(Kind::object) || x.is(Kind::map)); };
    bool good = is_map(*v);
    if (good) {
      for (const auto& [source, options] : v->entries()) good = good && is_map(options);
    }
    if (good) return Option{*v, a.expr->range(), block_.body->file->range(a.name_span)};
    refuse(a, "an object of objects", "write override = { sourcename = { option = value } }");
    return std::nullopt;
  }

 private:
  void refuse(const Attribute& a, const char* what, const std::string& why) {
    loading_.error("Unsuitable value type", fmt::format("\"{}\" must be {}: {}.", a.name, what, why), a.expr->range());
  }
  Loading& loading_;
  const ExpandedBlock& block_;
};

std::optional<StepBlock> read_step(Loading& loading, const ExpandedBlock& block) {
  if (block.labels.size() != 1) {
    loading.error((block.labels.empty() ? "Missing label for " : "Extraneous label for ") + block.type,
                  fmt::format("A block of this type is written: {} \"type\" {{ ... }}", block.type),
                  block.source->range());
    return std::nullopt;
  }
  StepReader reader(loading, block);
  StepBlock step{.type = block.labels[0], .name = reader.string("name"), .block = &block};
  step.only = reader.strings("only");
  step.except = reader.strings("except");
  if (!step.only.empty() && !step.except.empty())
    loading.error("Both only and except", "A block may have one of \"only\" and \"except\", not both.",
                  block.source->range());
  for (const auto& list : {step.only, step.except}) {
    for (const std::string& name : list) {
      if (name.starts_with("source."))
        loading.warn("Name matches no source",
                     fmt::format("\"{}\" will not match: write \"{}\".", name, name.substr(7)), block.source->range());
    }
  }
  return step;
}

std::optional<StepBlock> read_provisioner(Loading& loading, const ExpandedBlock& block) {
  auto step = read_step(loading, block);
  if (!step) return std::nullopt;
  StepReader reader(loading, block);
  step->pause_before = reader.duration("pause_before");
  step->timeout = reader.duration("timeout");
  step->max_retries = reader.count("max_retries");
  step->continue_on_error = reader.boolean("continue_on_error").value_or(false);
  step->overrides = reader.overrides();
  return step;
}

std::optional<StepBlock> read_post_processor(Loading& loading, const ExpandedBlock& block) {
  auto step = read_step(loading, block);
  if (step) step->keep_input_artifact = StepReader(loading, block).boolean("keep_input_artifact");
  return step;
}

void read_chain(Loading& loading, const ExpandedBlock& block, StepBlocks& out) {
  check_labels(loading, *block.source, block.source->type == "dynamic" ? 1 : 0, "post-processors");
  check_names(loading, *block.body, {}, {"post-processor"});
  Evaluation evaluation = loading.evaluation();
  out.inside.push_back(expand_blocks(*block.body, block.scope, evaluation));
  std::vector<StepBlock> chain;
  for (const ExpandedBlock& inner : out.inside.back()) {
    if (auto step = read_post_processor(loading, inner)) chain.push_back(std::move(*step));
  }
  out.chains.push_back(std::move(chain));
}

void read_cleanup(Loading& loading, const ExpandedBlock& block, StepBlocks& out) {
  if (out.error_cleanup) {
    loading.error("Only one error-cleanup-provisioner is allowed",
                  "A build may have one error-cleanup-provisioner block.", block.source->range());
    return;
  }
  out.error_cleanup = read_provisioner(loading, block);
}

bool is_for(const StepBlock& step, const Loading& loading, const Build& build) {
  const std::string name = loading.program->legacy ? build.source_name : build.type + "." + build.source_name;
  const auto in = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  return step.only.empty() ? !in(step.except) : in(step.only);
}

void fill(Component& out, const StepBlock& step, const Loading& loading, const std::string& build_name,
          const Build& build, const std::set<std::string>& meta) {
  auto behind = std::make_shared<Component::Source>();
  behind->program = loading.program;
  behind->body = step.block->body;
  behind->scope = step.block->scope;
  behind->meta = meta;
  behind->build_name = build_name;
  behind->source_type = build.type;
  behind->source_name = build.source_name;
  behind->in_build = true;
  if (step.overrides) {
    const auto& all = step.overrides->value.entries();
    const auto own = all.find(build.source_name);
    if (own != all.end()) {
      behind->overrides = *step.overrides;
      behind->overrides->value = own->second.marked(step.overrides->value.marks());
    }
  }
  out.type = step.type;
  out.name = step.name;
  out.range = step.block->source->range();
  out.source = std::move(behind);
}

Provisioner provisioner(const StepBlock& step, const Loading& loading, const std::string& build_name,
                        const Build& build) {
  Provisioner out;
  fill(out, step, loading, build_name, build, kProvisionerMeta);
  out.pause_before = step.pause_before;
  out.timeout = step.timeout;
  out.max_retries = step.max_retries;
  out.continue_on_error = step.continue_on_error;
  return out;
}

/// Whether -except names this post-processor: it and the rest of its chain are dropped then.
bool is_cut(const StepBlock& step, const Loading& loading) {
  const std::string& name = step.name.empty() ? step.type : step.name;
  const auto& globs = loading.options.except;
  const bool exact = loading.program->legacy;
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return exact ? glob == name : glob_match(glob, name); });
}

}  // namespace

StepBlocks read_steps(Loading& loading, const std::vector<ExpandedBlock>& blocks) {
  StepBlocks out;
  for (const ExpandedBlock& block : blocks) {
    if (block.type == "provisioner") {
      if (auto step = read_provisioner(loading, block)) out.provisioners.push_back(std::move(*step));
    } else if (block.type == "error-cleanup-provisioner") {
      read_cleanup(loading, block, out);
    } else if (block.type == "post-processor") {
      if (auto step = read_post_processor(loading, block)) out.chains.push_back({std::move(*step)});
    } else if (block.type == "post-processors") {
      read_chain(loading, block, out);
    } else if (block.type == "hcp_packer_registry") {
      loading.warn("HCP Packer registry is not used", "kiln does not publish to HCP Packer; this block has no effect.",
                   block.source->range());
    }
  }
  return out;
}

void add_steps(const Loading& loading, const StepBlocks& steps, const std::string& build_name, Build& build) {
  for (const StepBlock& step : steps.provisioners) {
    if (is_for(step, loading, build)) build.provisioners.push_back(provisioner(step, loading, build_name, build));
  }
  if (steps.error_cleanup && is_for(*steps.error_cleanup, loading, build))
    build.error_cleanup = provisioner(*steps.error_cleanup, loading, build_name, build);
  for (const std::vector<StepBlock>& blocks : steps.chains) {
    std::vector<PostProcessor> chain;
    for (const StepBlock& step : blocks) {
      if (is_cut(step, loading)) break;
      if (!is_for(step, loading, build)) continue;
      PostProcessor out;
      fill(out, step, loading, build_name, build, kPostProcessorMeta);
      out.keep_input_artifact = step.keep_input_artifact;
      chain.push_back(std::move(out));
    }
    if (!chain.empty()) build.post_processors.push_back(std::move(chain));
  }
}

}  // namespace kiln::tmpl
