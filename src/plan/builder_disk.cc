// Builders whose disks go to no cloud: kiln's own disk, and Packer's qemu with a base in place of an installer.
#include <algorithm>

#include "base/text.h"
#include "plan/builders.h"

namespace kiln::plan {

namespace {

constexpr const char* kConsoles = "console=tty0 console=ttyS0,115200n8";

std::uint64_t read_size(tmpl::BodyReader& options, std::uint64_t bare_unit) {
  const auto text = options.string("disk_size");
  if (!text) return 0;
  if (const auto bytes = parse_size(*text, bare_unit)) return *bytes;
  options.error(
      "disk_size", "Bad disk size",
      fmt::format("\"{}\" is no size: write a whole number and a unit, such as \"10G\" or \"512M\" (powers of "
                  "1024, at most 64T).",
                  visible(*text)));
  return 0;
}

/// formats: the files to write, one a format.
std::vector<DiskFile> read_formats(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world) {
  std::vector<DiskFile> files;
  const auto names = options.strings("formats").value_or(std::vector<std::string>{"raw"});
  if (names.empty()) options.error("formats", "No disk format", "Name at least one format, or leave \"formats\" out.");
  for (const std::string& name : names) {
    const auto same = [&](const DiskFile& f) { return f.format == name; };
    if (std::any_of(files.begin(), files.end(), same)) continue;
    if (const auto format = find_format(options, "formats", name, world))
      files.push_back({name, world.output_dir / (file_stem(build) + format->suffix)});
  }
  return files;
}

/// boot: with which firmware the disk starts.
void read_boot(tmpl::BodyReader& options, BootStep& boot) {
  const auto ways = options.strings("boot");
  if (!ways) return;
  boot.bios = boot.uefi = false;
  for (const std::string& way : *ways) {
    if (way == "bios") boot.bios = true;
    if (way == "uefi") boot.uefi = true;
    if (way != "bios" && way != "uefi")
      options.error("boot", "Unknown way to boot", fmt::format("\"{}\" is none of bios, uefi.", visible(way)));
  }
  if (ways->empty()) options.error("boot", "No way to boot", "Name bios, uefi or both, or leave \"boot\" out.");
}

/// Words of a kernel command line: they go into a script and into grub.cfg, so they are plain.
std::string read_kernel_options(tmpl::BodyReader& options) {
  const auto text = options.string("kernel_options");
  if (!text) return kConsoles;
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view(" _-.,:=/@+%").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!std::all_of(text->begin(), text->end(), plain)) {
    options.error("kernel_options", "Bad kernel options",
                  "They are words of letters, digits and _ - . , : = / @ + %, with spaces between them.");
  }
  return *text;
}

std::string read_iso_url(tmpl::BodyReader& options) {
  const auto urls = options.strings("iso_urls").value_or(std::vector<std::string>());
  std::string base = options.string("iso_url").value_or(urls.empty() ? std::string() : urls.front());
  const bool installer =
      base.ends_with(".iso") || (base.find("://") != std::string::npos && !base.starts_with("docker://"));
  if (installer) {
    options.error(
        "iso_url", "kiln starts no installer",
        "Nothing is booted, so nothing can be installed from an ISO: let iso_url name the tree to start from, "
        "such as \"bootstrap:debian/bookworm\".");
  }
  return base;
}

/// Where Packer's qemu puts the disk when output_directory says where; else it is named like every disk of kiln.
fs::path qemu_output(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world,
                     const std::string& suffix) {
  const std::string directory = options.string("output_directory").value_or("");
  const std::string name = options.string("vm_name").value_or("");
  if (!directory.empty()) return world.cwd / directory / (name.empty() ? "packer-" + build.source_name : name);
  return world.output_dir / (name.empty() ? file_stem(build) + suffix : name);
}

}  // namespace

BuilderPlan read_disk(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world) {
  BuilderPlan plan = read_machine(options, "base");
  plan.boot->kernel_options = read_kernel_options(options);
  read_boot(options, *plan.boot);
  const std::uint64_t bytes = read_size(options, 0);
  plan.pack = pack_disks("disk", bytes, read_formats(build, options, world));
  return plan;
}

BuilderPlan read_qemu(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world) {
  constexpr std::uint64_t kMegabyte = std::uint64_t{1} << 20;  // what a number without a unit counts
  BuilderPlan plan;
  plan.base = read_iso_url(options);
  if (plan.base.empty() && !has_unknown(options))
    options.error("iso_url", "Missing required argument", "Say what the image starts from with \"iso_url\".");
  plan.boot = BootStep{.script = std::string(boot_script()), .kernel_options = kConsoles};
  const std::uint64_t bytes = read_size(options, kMegabyte);
  const std::string name = options.string("format").value_or("qcow2");
  const auto format = find_format(options, "format", name, world);
  if (format) plan.pack = pack_disks("qemu", bytes, {{name, qemu_output(build, options, world, format->suffix)}});
  note(plan, options,
       {"boot_command",
        "boot_wait",
        "boot_key_interval",
        "boot_keygroup_interval",
        "boot_steps",
        "http_directory",
        "http_content",
        "http_port_min",
        "http_port_max",
        "http_bind_address",
        "http_interface",
        "iso_checksum",
        "iso_checksum_type",
        "iso_checksum_url",
        "iso_target_path",
        "iso_target_extension",
        "shutdown_command",
        "shutdown_timeout",
        "floppy_files",
        "floppy_dirs",
        "floppy_content",
        "floppy_label",
        "cd_files",
        "cd_content",
        "cd_label",
        "accelerator",
        "cpus",
        "cores",
        "sockets",
        "threads",
        "cpu_model",
        "memory",
        "disk_additional_size",
        "disk_interface",
        "disk_cache",
        "disk_discard",
        "disk_detect_zeroes",
        "disk_compression",
        "skip_compaction",
        "skip_resize_disk",
        "disk_image",
        "use_backing_file",
        "headless",
        "display",
        "vga",
        "use_default_display",
        "machine_type",
        "net_device",
        "net_bridge",
        "qemuargs",
        "qemu_img_args",
        "qemu_binary",
        "qmp_enable",
        "qmp_socket_path",
        "vnc_bind_address",
        "vnc_use_password",
        "vnc_password",
        "vnc_port_min",
        "vnc_port_max",
        "host_port_min",
        "host_port_max",
        "ssh_host_port_min",
        "ssh_host_port_max",
        "skip_nat_mapping",
        "cdrom_interface",
        "firmware",
        "use_pflash",
        "vtpm",
        "use_tpm1",
        "tpm_device_type",
        "efi_boot",
        "efi_firmware_code",
        "efi_firmware_vars",
        "efi_drop_efivars"});
  return plan;
}

}  // namespace kiln::plan
