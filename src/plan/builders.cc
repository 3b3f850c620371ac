// Builders: docker, amazon-ebs, googlecompute, null, file.
#include <algorithm>

#include "base/text.h"
#include "plan/components.h"

namespace kiln::plan {

namespace {

using Reader = BuilderPlan (*)(const tmpl::Build&, tmpl::BodyReader&, const Surroundings&);

/// Options that every builder with a communicator takes and that mean nothing without a machine.
const std::vector<std::string>& communicator_options() {
  static const std::vector<std::string> names = {"communicator",
                                                 "pause_before_connecting",
                                                 "ssh_host",
                                                 "ssh_port",
                                                 "ssh_username",
                                                 "ssh_password",
                                                 "ssh_keypair_name",
                                                 "temporary_key_pair_name",
                                                 "temporary_key_pair_type",
                                                 "temporary_key_pair_bits",
                                                 "ssh_clear_authorized_keys",
                                                 "ssh_private_key_file",
                                                 "ssh_certificate_file",
                                                 "ssh_pty",
                                                 "ssh_timeout",
                                                 "ssh_wait_timeout",
                                                 "ssh_agent_auth",
                                                 "ssh_disable_agent_forwarding",
                                                 "ssh_handshake_attempts",
                                                 "ssh_bastion_host",
                                                 "ssh_bastion_port",
                                                 "ssh_bastion_username",
                                                 "ssh_bastion_password",
                                                 "ssh_bastion_private_key_file",
                                                 "ssh_file_transfer_method",
                                                 "ssh_proxy_host",
                                                 "ssh_proxy_port",
                                                 "ssh_keep_alive_interval",
                                                 "ssh_read_write_timeout",
                                                 "ssh_interface",
                                                 "winrm_username",
                                                 "winrm_password",
                                                 "winrm_host",
                                                 "winrm_port",
                                                 "winrm_timeout",
                                                 "winrm_use_ssl",
                                                 "winrm_insecure"};
  return names;
}

/// Knows options that mean nothing without a machine; those that are set are listed once.
void note(BuilderPlan& plan, tmpl::BodyReader& options, const std::vector<std::string>& names) {
  const auto set = options.ignore(names);
  plan.notes.insert(plan.notes.end(), set.begin(), set.end());
}

std::string file_stem(const tmpl::Build& build) {
  std::string stem;
  for (const char c : build.source_name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    stem += plain ? c : '_';
  }
  return stem;
}

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

BuilderPlan machine(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world,
                    const char* base_option, const char* format, const char* suffix) {
  BuilderPlan plan;
  plan.base = options.string(base_option).value_or("");
  if (plan.base.empty() && !has_unknown(options)) {
    options.error(base_option, "Missing required argument",
                  fmt::format("Say what the image starts from with \"{}\".", base_option));
  }
  plan.pack = PackStep{.format = format, .output = world.output_dir / (file_stem(build) + suffix)};
  return plan;
}

BuilderPlan read_amazon_ebs(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world) {
  BuilderPlan plan = machine(build, options, world, "source_ami", "ec2", "-ec2.raw");
  for (const char* name : {"ami_name",
                           "ami_description",
                           "ami_regions",
                           "ami_users",
                           "ami_groups",
                           "tags",
                           "snapshot_tags",
                           "region",
                           "ena_support",
                           "sriov_support",
                           "imds_support",
                           "boot_mode",
                           "encrypt_boot",
                           "kms_key_id",
                           "region_kms_key_ids",
                           "ami_virtualization_type",
                           "force_deregister",
                           "force_delete_snapshot",
                           "deprecate_at",
                           "launch_block_device_mappings",
                           "ami_block_device_mappings",
                           "tag",
                           "snapshot_tag",
                           "profile",
                           "access_key",
                           "secret_key",
                           "token",
                           "assume_role",
                           "source_ami_filter"}) {
    options.ignore({name});
  }
  note(plan, options,
       {"instance_type",
        "subnet_id",
        "vpc_id",
        "security_group_id",
        "security_group_ids",
        "security_group_filter",
        "subnet_filter",
        "vpc_filter",
        "associate_public_ip_address",
        "iam_instance_profile",
        "user_data",
        "user_data_file",
        "run_tags",
        "run_tag",
        "run_volume_tags",
        "run_volume_tag",
        "spot_price",
        "spot_instance_types",
        "ebs_optimized",
        "shutdown_behavior",
        "availability_zone",
        "metadata_options",
        "temporary_iam_instance_profile_policy_document",
        "temporary_security_group_source_cidrs",
        "temporary_security_group_source_public_ip",
        "aws_polling",
        "skip_create_ami",
        "disable_stop_instance",
        "enable_t2_unlimited",
        "placement",
        "tenancy",
        "windows_password_timeout"});
  return plan;
}

BuilderPlan read_googlecompute(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world) {
  BuilderPlan plan = machine(build, options, world, "source_image", "gce", "-gce.tar.gz");
  for (const char* name : {"project_id", "image_name", "image_family", "image_description", "image_labels",
                           "image_licenses", "image_storage_locations", "image_guest_os_features", "image_architecture",
                           "image_project_id", "image_encryption_key", "source_image_family", "source_image_project_id",
                           "disk_size", "account_file", "credentials_file", "access_token", "skip_create_image"}) {
    options.ignore({name});
  }
  note(plan, options,
       {"zone",
        "region",
        "machine_type",
        "disk_type",
        "disk_name",
        "instance_name",
        "tags",
        "labels",
        "metadata",
        "metadata_files",
        "network",
        "subnetwork",
        "network_project_id",
        "use_internal_ip",
        "omit_external_ip",
        "use_iap",
        "use_os_login",
        "service_account_email",
        "scopes",
        "preemptible",
        "state_timeout",
        "startup_script_file",
        "wrap_startup_script",
        "on_host_maintenance",
        "address",
        "accelerator_type",
        "accelerator_count",
        "enable_secure_boot",
        "enable_vtpm",
        "enable_integrity_monitoring",
        "disable_default_service_account",
        "min_cpu_platform"});
  return plan;
}

BuilderPlan read_null(const tmpl::Build& /*build*/, tmpl::BodyReader& /*options*/, const Surroundings& /*world*/) {
  return {.base = {}, .pack = PackStep{.format = "null"}};
}

BuilderPlan read_file(const tmpl::Build& /*build*/, tmpl::BodyReader& options, const Surroundings& world) {
  PackStep pack{.format = "file"};
  const std::string target = options.string("target").value_or("");
  if (target.empty()) options.error("target", "Missing required argument", "A file source needs \"target\".");
  pack.output = world.cwd / target;
  const auto content = options.string("content");
  const auto source = options.string("source");
  if (content && source) options.error("source", "Both content and source", "Give one of them.");
  if (content) pack.changes.push_back("content:" + *content);
  if (source) pack.changes.push_back("source:" + (world.cwd / *source).native());
  return {.base = {}, .pack = std::move(pack)};
}

const std::map<std::string, Reader>& readers() {
  static const std::map<std::string, Reader> table = {{"docker", read_docker},
                                                      {"amazon-ebs", read_amazon_ebs},
                                                      {"googlecompute", read_googlecompute},
                                                      {"null", read_null},
                                                      {"file", read_file}};
  return table;
}

}  // namespace

std::optional<BuilderPlan> read_builder(const tmpl::Build& build, const Surroundings& world,
                                        tmpl::Diagnostics& diagnostics) {
  const auto reader = readers().find(build.type);
  if (reader == readers().end()) {
    std::vector<std::string> known;
    for (const auto& [name, r] : readers()) known.push_back(name);
    std::string detail = fmt::format("kiln has no builder \"{}\"; it has {}.", build.type, join(known, ", "));
    if (const auto guess = nearest(build.type, known)) detail += fmt::format(" Did you mean \"{}\"?", *guess);
    diagnostics.push_back({tmpl::Severity::error, "Unknown builder type", detail, build.builder.range, {}});
    return std::nullopt;
  }
  const auto body = build.builder.decode(diagnostics);
  if (!body) return std::nullopt;
  const std::size_t before = diagnostics.size();
  tmpl::BodyReader options(*body, diagnostics, fmt::format("source \"{}\" \"{}\"", build.type, build.source_name));
  BuilderPlan plan = reader->second(build, options, world);
  note(plan, options, communicator_options());
  options.finish();
  for (const char* name : {"image", "source_ami", "source_image"}) {
    if (const auto it = body->options.find(name); it != body->options.end()) plan.base_range = it->second.range;
  }
  if (diagnostics.size() > before &&
      tmpl::has_errors({diagnostics.begin() + static_cast<std::ptrdiff_t>(before), diagnostics.end()})) {
    return std::nullopt;
  }
  return plan;
}

}  // namespace kiln::plan
