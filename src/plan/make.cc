// From a template to a graph of steps: each build is a chain; chains that are equal from the start are one.
#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "plan/components.h"
#include "plan/seal.h"

namespace kiln::plan {

namespace {

class Maker {
 public:
  Maker(const Surroundings& world, tmpl::Diagnostics& diagnostics) : world_(world), diagnostics_(diagnostics) {}

  void add_build(const tmpl::Build& build) {
    index_ = plan_.builds.size();
    plan_.builds.push_back({.name = build.name, .type = build.type, .source_name = build.source_name});
    top_.reset();
    after_.clear();
    before_ = {};
    auto builder = read_builder(build, world_, diagnostics_);
    if (builder && !builder->base.empty()) add_base(*builder);
    nothing_to_provision_ = builder && builder->base.empty();
    packed_.reset();
    if (builder && builder->pack && builder->pack->format == "file") pack_first(*builder);
    for (std::size_t i = 0; i < build.provisioners.size(); ++i) add_provisioner(build, build.provisioners[i], i);
    if (build.error_cleanup) add_cleanup(build, *build.error_cleanup);
    add_artifacts(build, builder);
    if (builder) plan_.builds[index_].notes = builder->notes;
  }

  Plan take() { return std::move(plan_); }

 private:
  void add_base(const BuilderPlan& builder) {
    const auto report = [&](const Error& e) {
      diagnostics_.push_back({tmpl::Severity::error, "Cannot use this base", e.text() + ".", builder.base_range, {}});
    };
    auto ref = parse_base(builder.base);
    if (!ref) return report(ref.error());
    BaseStep base{*ref, Json::object()};
    if (world_.pin_base) {
      auto pin = world_.pin_base(*ref, Seal(world_, builder.secrets).fingerprint(ref->text));
      if (!pin) return report(pin.error());
      base.pin = std::move(*pin);
    }
    const std::string label = ref->text;
    add_step(std::move(base), label, "base", builder.secrets);
  }

  void add_provisioner(const tmpl::Build& build, const tmpl::Provisioner& provisioner, std::size_t number) {
    auto parts = read_provisioner(build, provisioner, before_, world_, diagnostics_);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      note(parts[i].what);
      if (!top_ && !std::holds_alternative<HostStep>(parts[i].what)) {
        if (!nothing_to_provision_) return;  // the base is wrong, which was said
        diagnostics_.push_back(
            {tmpl::Severity::error,
             "Nothing to provision",
             fmt::format("The {} builder has no tree that \"{}\" could change.", build.type, provisioner.type),
             provisioner.range,
             {}});
        return;
      }
      const std::string slot = fmt::format("provisioner {}.{}", number + 1, i + 1);
      add_step(std::move(parts[i].what), parts[i].label, slot, parts[i].secrets);
    }
  }

  /// Packer writes the file of a file source before its provisioners run.
  void pack_first(BuilderPlan& builder) {
    const std::string label = builder.pack->output.filename().native();
    packed_ = add_step(*builder.pack, label, "pack", builder.secrets);
    top_.reset();
    after_.push_back(*packed_);
  }

  /// Not a part of the graph: it runs only when a provisioner failed.
  void add_cleanup(const tmpl::Build& build, const tmpl::Provisioner& cleanup) {
    for (Part& part : read_provisioner(build, cleanup, before_, world_, diagnostics_)) {
      if (!std::holds_alternative<CopyStep>(part.what)) {
        plan_.builds[index_].error_cleanup.push_back(std::move(part.what));
        continue;
      }
      diagnostics_.push_back({tmpl::Severity::error,
                              "An upload cannot clean up",
                              "What an error-cleanup-provisioner changes in the tree is thrown away: use shell, "
                              "shell-local, or file with direction = \"download\".",
                              cleanup.range,
                              {}});
    }
  }

  /// What later provisioners must know of this one.
  void note(const What& what) {
    if (const auto* copy = std::get_if<CopyStep>(&what)) note_uploads(*copy);
    const auto* host = std::get_if<HostStep>(&what);
    if (std::holds_alternative<FetchStep>(what) || (host != nullptr && host->type == "shell-local"))
      before_.host_may_write = true;
  }

  /// Whether a file that was put into the tree asks which build this is: then later scripts may, too.
  void note_uploads(const CopyStep& copy) {
    std::string& text = before_.uploaded_text;
    constexpr std::uintmax_t kLargestScript = 1 << 20;
    for (const CopyItem& item : copy.items) {
      std::error_code ec;
      if (item.late) text = "PACKER_BUILD_NAME";  // nobody knows yet
      if (item.source.empty()) {
        text += item.content;
      } else if (fs::is_regular_file(item.source, ec) && fs::file_size(item.source, ec) <= kLargestScript) {
        if (auto file = kiln::read_file(item.source); file && mentions_build(*file)) text = *file;
      } else if (fs::is_directory(item.source, ec)) {
        for (const auto& entry : fs::recursive_directory_iterator(item.source, ec)) {
          if (!entry.is_regular_file(ec) || entry.file_size(ec) > kLargestScript) continue;
          if (auto file = kiln::read_file(entry.path()); file && mentions_build(*file)) text = *file;
        }
      }
    }
  }

  void add_artifacts(const tmpl::Build& build, std::optional<BuilderPlan>& builder) {
    std::vector<std::vector<PostStep>> chains;
    PackStep nothing{.format = "docker"};
    PackStep& pack = builder && builder->pack ? *builder->pack : nothing;
    for (const auto& chain : build.post_processors) chains.push_back(read_chain(build, chain, pack));
    if (!builder || !builder->pack) return;
    if (builder->boot) add_step(std::move(*builder->boot), "boot layer", "boot", builder->secrets);
    const std::string label = pack.output.empty() ? pack.format : pack.output.filename().native();
    std::vector<std::string> secrets = builder->secrets;  // and of who gave the image its names
    for (const auto& chain : chains) {
      for (const PostStep& post : chain) secrets.insert(secrets.end(), post.hidden.begin(), post.hidden.end());
    }
    const StepId packed = packed_ ? *packed_ : add_step(std::move(pack), label, "pack", secrets);
    plan_.builds[index_].pack = packed;
    for (std::size_t c = 0; c < chains.size(); ++c) {
      if (c > 0 && top_ != packed) after_.push_back(*top_);  // one chain after the other, as Packer
      top_ = packed;
      for (std::size_t i = 0; i < chains[c].size(); ++i) {
        const PostStep& step = chains[c][i];
        const std::string title = step.name.empty() ? step.type : step.type + ": " + step.name;
        const std::vector<std::string> hidden = step.hidden;
        add_step(std::move(chains[c][i]), title, fmt::format("post-processor {}.{}", c + 1, i + 1), hidden);
      }
    }
  }

  std::vector<PostStep> read_chain(const tmpl::Build& build, const std::vector<tmpl::PostProcessor>& chain,
                                   PackStep& pack) {
    std::vector<PostStep> steps;
    std::vector<tmpl::Range> places;
    for (const tmpl::PostProcessor& post : chain) {
      auto step = read_post_processor(build, post, world_, diagnostics_);
      if (!step) return {};
      steps.push_back(std::move(*step));
      places.push_back(post.range);
    }
    name_images(steps, places, pack, diagnostics_);
    if (world_.local && std::erase_if(steps, [](const PostStep& s) { return s.type == "docker-push"; }) > 0) {
      plan_.warnings.push_back(build.name + ": docker-push is left out by -local");
    }
    return steps;
  }

  /// Adds a step above the top of this build, or finds the equal one that another build has there.
  /// secrets: sensitive texts of the component that it comes from.
  StepId add_step(What what, const std::string& label, const std::string& slot,
                  const std::vector<std::string>& secrets) {
    Step step;
    step.kind = std::string(kind_of(what));
    step.label = Seal(world_, secrets).masked(label);
    step.description = describe(what, world_, secrets);
    step.description_id = step.description.hash();
    step.after = after_;
    step.late = reads_late(what);
    step.follows_late = step.late || (top_ && plan_.steps[*top_].follows_late);
    std::vector<Digest> parent_keys;
    if (top_) {
      step.parents.push_back(*top_);
      parent_keys.push_back(plan_.steps[*top_].key);
    }
    step.key = key_of(step.description, parent_keys);
    step.slot = plan_.builds[index_].name + "/" + slot;
    step.what = std::move(what);
    const StepId id = makes_layer(step.kind) ? find_or_add(std::move(step)) : add(std::move(step));
    plan_.builds[index_].steps.push_back(id);
    plan_.steps[id].builds.push_back(index_);
    const std::string& kind = plan_.steps[id].kind;
    if (kind == "host" || kind == "fetch") {
      after_.push_back(id);
    } else {
      top_ = id;
    }
    return id;
  }

  StepId find_or_add(Step step) {
    for (const Step& other : plan_.steps) {
      if (other.key == step.key && other.after == step.after) return other.id;
    }
    return add(std::move(step));
  }

  StepId add(Step step) {
    step.id = static_cast<StepId>(plan_.steps.size());
    plan_.steps.push_back(std::move(step));
    return plan_.steps.back().id;
  }

  const Surroundings& world_;
  tmpl::Diagnostics& diagnostics_;
  Plan plan_;
  std::size_t index_ = 0;
  std::optional<StepId> top_;     // what the next step stands on
  std::optional<StepId> packed_;  // an artifact that was there before the provisioners
  bool nothing_to_provision_ = false;
  std::vector<StepId> after_;  // host steps that the next step must wait for
  Before before_;
};

std::vector<fs::path> outputs_of(const PackStep& pack) {
  std::vector<fs::path> outputs;
  for (const DiskFile& file : pack.files) outputs.push_back(file.path);
  if (outputs.empty() && !pack.output.empty()) outputs.push_back(pack.output);
  return outputs;
}

/// Two builds that write the same file would overwrite each other.
void check_outputs(const Plan& plan, tmpl::Diagnostics& diagnostics) {
  std::map<fs::path, std::string> owners;
  for (const Step& step : plan.steps) {
    const auto* pack = std::get_if<PackStep>(&step.what);
    if (pack == nullptr) continue;
    const std::string& build = plan.builds[step.builds.front()].name;
    for (const fs::path& output : outputs_of(*pack)) {
      const auto [it, fresh] = owners.emplace(output, build);
      if (fresh) continue;
      diagnostics.push_back({tmpl::Severity::error,
                             "Two builds write one file",
                             fmt::format("{} is the output of \"{}\" and of \"{}\": give one source another name.",
                                         output, it->second, build),
                             {},
                             {}});
    }
  }
}

}  // namespace

bool reads_late(const What& what) {
  if (const auto* run = std::get_if<RunStep>(&what)) return !run->late_script.empty();
  const auto* copy = std::get_if<CopyStep>(&what);
  return copy != nullptr &&
         std::any_of(copy->items.begin(), copy->items.end(), [](const CopyItem& item) { return item.late; });
}

std::optional<Plan> make_plan(const tmpl::Template& from, const Surroundings& world, tmpl::Diagnostics& diagnostics) {
  Surroundings own = world;
  own.secrets = from.secrets;
  Maker maker(own, diagnostics);
  for (const tmpl::Build& build : from.builds) maker.add_build(build);
  Plan plan = maker.take();
  plan.template_path = from.path;
  check_outputs(plan, diagnostics);
  if (tmpl::has_errors(diagnostics)) return std::nullopt;
  return plan;
}

void check(const tmpl::Template& from, const Surroundings& world, tmpl::Diagnostics& diagnostics) {
  Surroundings quiet = world;
  quiet.pin_base = nullptr;
  quiet.file_digest = nullptr;
  (void)make_plan(from, quiet, diagnostics);
}

}  // namespace kiln::plan
