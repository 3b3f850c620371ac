// The table of builders, what they share, and the two that make no image: null and file.
#include <algorithm>

#include "base/text.h"
#include "base/units.h"
#include "plan/builders.h"
#include "plan/types.h"

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

BuilderPlan read_null(const tmpl::Build& /*build*/, tmpl::BodyReader& /*options*/, const Surroundings& /*world*/) {
  return {.base = {}, .pack = PackStep{.format = "null"}};
}

BuilderPlan read_file_builder(const tmpl::Build& /*build*/, tmpl::BodyReader& options, const Surroundings& world) {
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
                                                      {"disk", read_disk},
                                                      {"qemu", read_qemu},
                                                      {"null", read_null},
                                                      {"file", read_file_builder}};
  return table;
}

}  // namespace

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

BuilderPlan read_machine(tmpl::BodyReader& options, const char* base_option, bool looks_up) {
  BuilderPlan plan;
  plan.base = options.string(base_option).value_or("");
  if (plan.base.empty() && !has_unknown(options)) {
    options.error(base_option, "Missing required argument",
                  fmt::format("{}Say what the image starts from with \"{}\", such as \"bootstrap:debian/bookworm\".",
                              looks_up ? "kiln does not look up images of a cloud. " : "", base_option));
  }
  plan.boot = BootStep{.script = std::string(boot_script())};
  return plan;
}

PackStep pack_disks(const char* format, std::uint64_t bytes, std::vector<DiskFile> files) {
  PackStep pack{.format = format};
  if (!files.empty()) pack.output = files.front().path;
  pack.disk_bytes = bytes;
  pack.files = std::move(files);
  return pack;
}

namespace {

constexpr std::uint64_t kLargestDisk = std::uint64_t{64} << 40;  // what the largest of the clouds' volumes hold

}  // namespace

std::uint64_t read_gib(tmpl::BodyReader& options, const std::string& name) {
  const auto count = options.integer(name);
  if (!count) return 0;
  constexpr std::int64_t kMost = kLargestDisk >> 30;
  if (*count >= 1 && *count <= kMost) return static_cast<std::uint64_t>(*count) << 30;
  options.error(name, "Bad disk size", fmt::format("\"{}\" is a number of GiB between 1 and {}.", name, kMost));
  return 0;
}

std::optional<std::uint64_t> parse_size(std::string_view text, std::uint64_t bare_unit) {
  constexpr std::string_view kUnits = "bkmgt";
  std::uint64_t number = 0;
  std::size_t digits = 0;
  while (digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits])) != 0 && number < kLargestDisk) {
    number = number * 10 + static_cast<std::uint64_t>(text[digits++] - '0');
  }
  const std::string_view unit = text.substr(digits);
  std::uint64_t factor = bare_unit;
  if (!unit.empty()) {
    const auto power = kUnits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(unit[0]))));
    if (power == std::string_view::npos || (unit.size() > 1 && (unit.substr(1) != "iB" || power == 0))) return {};
    factor = std::uint64_t{1} << (10 * power);
  }
  if (digits == 0 || factor == 0 || number == 0 || number > kLargestDisk / factor) return {};
  return (number * factor + kMiB - 1) / kMiB * kMiB;
}

std::optional<DiskFormat> find_format(tmpl::BodyReader& options, const std::string& option, const std::string& name,
                                      const Surroundings& world) {
  std::vector<std::string> known;
  for (const DiskFormat& format : world.disk_formats) {
    if (format.name == name) return format;
    known.push_back(format.name);
  }
  std::string detail = fmt::format("kiln writes no disk format \"{}\"; it has {}.", visible(name), join(known, ", "));
  if (const auto guess = nearest(name, known)) detail += fmt::format(" Did you mean \"{}\"?", *guess);
  options.error(option, "Unknown disk format", detail);
  return std::nullopt;
}

std::vector<std::string> builder_types() {
  std::vector<std::string> names;
  for (const auto& [name, reader] : readers()) names.push_back(name);
  return names;
}

std::optional<BuilderPlan> read_builder(const tmpl::Build& build, const Surroundings& world,
                                        tmpl::Diagnostics& diagnostics) {
  const auto reader = readers().find(build.type);
  if (reader == readers().end()) {
    const std::vector<std::string> known = builder_types();
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
  plan.secrets = options.secrets();
  if (options.string("communicator").value_or("") == "none") std::erase(plan.notes, "communicator");
  options.finish();
  for (const char* name : {"image", "source_ami", "source_image", "base", "iso_url"}) {
    if (const auto it = body->options.find(name); it != body->options.end()) plan.base_range = it->second.range;
  }
  if (diagnostics.size() > before &&
      tmpl::has_errors({diagnostics.begin() + static_cast<std::ptrdiff_t>(before), diagnostics.end()})) {
    return std::nullopt;
  }
  return plan;
}

}  // namespace kiln::plan
