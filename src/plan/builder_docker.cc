// The docker builder.
#include "plan/builders.h"

namespace kiln::plan {

namespace {

void refuse_privileges(tmpl::BodyReader& options, const Surroundings& world) {
  for (const char* name : {"privileged", "cap_add", "device"}) {
    options.ignore({name});
    const bool asked =
        options.has(name) && (std::string_view(name) != "privileged" || options.boolean(name).value_or(false));
    if (asked && !world.allow_privileged) {
      options.error(name, fmt::format("\"{}\" is refused", name),
                    "A step of kiln gets no privileges beyond its sandbox. Say -allow-privileged if the template "
                    "really needs this.");
    }
  }
}

}  // namespace

BuilderPlan read_docker(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world) {
  BuilderPlan plan;
  plan.base = options.string("image").value_or("");
  if (plan.base.empty() && !has_unknown(options)) {
    options.error("image", "Missing required argument", "A docker source needs \"image\": what the image starts from.");
  }
  const bool commit = options.boolean("commit").value_or(false);
  const bool discard = options.boolean("discard").value_or(false);
  const std::string export_path = options.string("export_path").value_or("");
  if (int{commit} + int{discard} + int{!export_path.empty()} != 1) {
    options.error("commit", "One of commit, export_path and discard",
                  "A docker source needs exactly one of them: commit = true for an image, export_path for a tar of "
                  "the file system, discard = true to keep nothing.");
  }
  PackStep pack{.format = "docker", .output = world.output_dir / (file_stem(build) + "-docker.tar")};
  pack.changes = options.strings("changes").value_or(std::vector<std::string>());
  pack.author = options.string("author").value_or("");
  pack.message = options.string("message").value_or("");
  if (!export_path.empty()) {
    pack.format = "docker-export";
    pack.output = world.cwd / export_path;
  }
  if (!discard) plan.pack = std::move(pack);
  refuse_privileges(options, world);
  note(plan, options, {"pull",        "run_command",      "volumes",        "tmpfs",
                       "cap_drop",    "runtime",          "platform",       "exec_user",
                       "pty",         "fix_upload_owner", "container_dir",  "docker_path",
                       "login",       "login_username",   "login_password", "login_server",
                       "ecr_login",   "aws_access_key",   "aws_secret_key", "aws_token",
                       "aws_profile", "windows_container"});
  return plan;
}

}  // namespace kiln::plan
