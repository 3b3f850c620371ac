// The names that a chain of post-processors gives an image, and who needs them: the writer of the archive and
// docker-push.
#include "plan/components.h"

namespace kiln::plan {

namespace {

/// What the post-processors so far have made of the builder's artifact.
struct Chain {
  bool is_image = false, is_tar = false;
  std::vector<std::string> names;
  PostStep* importer = nullptr;
  std::vector<std::string>& pack_tags;
};

std::vector<std::string> names_of(const PostStep& step) {
  return step.options.value("names", std::vector<std::string>());
}

void add_tags(Chain& chain, const std::vector<std::string>& names) {
  if (chain.importer == nullptr) {
    chain.pack_tags.insert(chain.pack_tags.end(), names.begin(), names.end());
    return;
  }
  for (const std::string& name : names) chain.importer->options["tags"].push_back(name);
}

/// What is wrong with a post-processor at its place; empty: nothing.
std::string misplaced(const PostStep& step, const Chain& chain) {
  if (step.type == "docker-import") {
    if (chain.is_tar) return {};
    return "docker-import makes an image of a tar: the docker source before it needs export_path.";
  }
  if (!chain.is_image) return "Nothing before it makes one: add only = [\"docker.NAME\"], for a source with commit.";
  if (step.type == "docker-push" && chain.names.empty()) {
    return "The image has no name yet: put docker-tag before docker-push, in one post-processors block.";
  }
  return {};
}

void take(PostStep& step, Chain& chain) {
  if (step.type == "docker-import") {
    chain.importer = &step;
    chain.is_image = true;
    chain.is_tar = false;
    step.options["tags"] = Json::array();
  }
  if (step.type == "docker-import" || step.type == "docker-tag") {
    chain.names = names_of(step);
    add_tags(chain, chain.names);
  }
  if (step.type == "docker-push") step.options["names"] = chain.names;
}

}  // namespace

void name_images(std::vector<PostStep>& steps, const std::vector<tmpl::Range>& places, PackStep& pack,
                 tmpl::Diagnostics& diagnostics) {
  Chain chain{.is_image = pack.format == "docker",
              .is_tar = pack.format == "docker-export" || pack.format == "file",
              .names = {},
              .pack_tags = pack.tags};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].type.starts_with("docker-")) continue;
    if (const std::string wrong = misplaced(steps[i], chain); !wrong.empty()) {
      diagnostics.push_back({tmpl::Severity::error, steps[i].type + " needs a docker image", wrong, places[i], {}});
      return;
    }
    take(steps[i], chain);
  }
}

}  // namespace kiln::plan
