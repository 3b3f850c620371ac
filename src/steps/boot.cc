// Boot steps: whether a tree can become a machine, and the generated layer that makes it one (docs/boot-layer.md).
#include <algorithm>

#include "base/text.h"
#include "image/disk.h"
#include "steps/earlier_disk.h"
#include "steps/job.h"
#include "tree/merged.h"

namespace kiln::steps {

namespace {

/// Ids of a disk, by which the boot layer names it.
struct BootIds {
  Digest seed;       // of all others
  image::Uuid root;  // of the root file system
  std::string esp;   // of the EFI system partition's file system
};

/// What a machine needs of its tree: one of some paths, and the Debian package that brings it.
struct Need {
  std::string what, package;
  std::vector<std::string> paths;  // one that ends with "*" stands for every name that begins so
};

std::vector<Need> needs_of(const plan::BootStep& what, bool has_signed_grub) {
  std::vector<Need> needs = {{"kernel", "linux-image-cloud-amd64", {"/vmlinuz", "/boot/vmlinuz-*"}},
                             {"initrd", "initramfs-tools", {"/initrd.img", "/boot/initrd.img-*"}},
                             {"init", "systemd-sysv", {"/sbin/init"}},
                             {"systemd", "systemd", {"/lib/systemd/systemd", "/usr/lib/systemd/systemd"}}};
  const bool mkimage = what.bios || !has_signed_grub;
  if (mkimage) needs.push_back({"grub-mkimage", "grub-common", {"/usr/bin/grub-mkimage"}});
  if (what.bios) needs.push_back({"GRUB for BIOS", "grub-pc-bin", {"/usr/lib/grub/i386-pc/boot.img"}});
  if (what.uefi && !has_signed_grub)
    needs.push_back({"GRUB for UEFI", "grub-efi-amd64-bin", {"/usr/lib/grub/x86_64-efi/moddep.lst"}});
  if (what.cloud == "ec2") needs.push_back({"cloud-init", "cloud-init", {"/usr/bin/cloud-init"}});
  if (what.cloud == "gce") {
    needs.push_back(
        {"cloud-init or guest agent", "cloud-init", {"/usr/bin/cloud-init", "/usr/bin/google_guest_agent"}});
  }
  return needs;
}

Result<bool> is_there(const tree::Merged& tree, const std::string& path) {
  if (!path.ends_with('*')) return TRY(tree.resolve(path, true)).found.has_value();
  const fs::path pattern(path);
  const auto dir = TRY(tree.resolve(pattern.parent_path().native(), true));
  if (!dir.found || !S_ISDIR(dir.found->st.st_mode)) return false;
  std::string start = pattern.filename().native();
  start.pop_back();
  const auto names = TRY(tree.list(dir.found->dir));
  return std::any_of(names.begin(), names.end(), [&](const auto& entry) { return entry.first.starts_with(start); });
}

Result<bool> has_any(const tree::Merged& tree, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (TRY(is_there(tree, path))) return true;
  }
  return false;
}

/// Everything that is missing at once, with what to install.
Result<> check_tree(const tree::Merged& tree, const plan::BootStep& what) {
  const bool has_signed_grub = TRY(is_there(tree, "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")) &&
                               TRY(is_there(tree, "/usr/lib/shim/shimx64.efi.signed"));
  std::vector<std::string> missing, packages;
  for (const Need& need : needs_of(what, has_signed_grub)) {
    if (TRY(has_any(tree, need.paths))) continue;
    missing.push_back("no " + need.what);
    packages.push_back(need.package);
  }
  if (missing.empty()) return {};
  return error(Errc::not_found, "this tree cannot become a machine: it has {}; a provisioner has to install {}",
               join(missing, ", "), join(packages, " "));
}

void fill(const plan::BootStep& what, const BootIds& ids, sandbox::RunSpec& spec) {
  constexpr const char* kPath = "/tmp/kiln-boot.sh";
  spec.scripts.push_back({kPath, what.script, 0755});
  spec.env["KILN_ROOT_UUID"] = ids.root.text();
  spec.env["KILN_ESP_ID"] = ids.esp;
  spec.env["KILN_KERNEL_OPTIONS"] = what.kernel_options;
  spec.env["KILN_BIOS"] = what.bios ? "yes" : "no";
  spec.env["KILN_UEFI"] = what.uefi ? "yes" : "no";
  spec.env["LC_ALL"] = "C";
  spec.action = sandbox::Exec{{"/bin/sh", kPath}, "/", "0"};
}

Result<> judge(const sandbox::RunResult& ran) {
  if (ran.exit_code == 0) return {};
  return error(Errc::step_failed, "making the boot layer ended with exit status {}; its last lines say why",
               ran.exit_code);
}

/// From the tree; but a disk that was written before keeps its ids, on which every checksum in it depends.
Result<BootIds> boot_ids(Context& context, const plan::Step& boot, const engine::Tree& from) {
  Sha256 hash;
  hash.update("kiln disk\n");
  for (const Digest& layer : from.layers) hash.update(layer.hex());
  BootIds ids{.seed = hash.finish()};
  for (const plan::Step& step : context.plan.steps) {
    const auto* pack = std::get_if<plan::PackStep>(&step.what);
    if (pack == nullptr || step.parents.empty() || step.parents.front() != boot.id) continue;
    const Digest earlier = TRY(earlier_seed(context, pack->output));
    if (!earlier.empty()) ids.seed = earlier;
    break;  // disks that share a boot layer share its ids
  }
  ids.root = image::derive_uuid(ids.seed, "root");
  ids.esp = image::efi_volume_id(ids.seed);
  return ids;
}

}  // namespace

Result<engine::Outcome> run_boot(const Job& job, const plan::BootStep& what) {
  const auto tree = TRY(tree::Merged::open(TRY(overlay_paths(job.context.store, job.from))));
  TRY(check_tree(tree, what));
  const BootIds ids = TRY(boot_ids(job.context, job.step, job.from));
  engine::Outcome outcome = TRY(make_layer(
      job, [&](sandbox::RunSpec& spec) { fill(what, ids, spec); }, judge));
  outcome.result.facts = {{"seed", ids.seed.hex()}, {"bios", what.bios}, {"uefi", what.uefi}};
  return outcome;
}

/// A layer from another folder's build may name other ids.
Result<bool> accepts_boot(Context& context, const plan::Step& step, const engine::Tree& from,
                          const store::StepResult& known) {
  return json_string(known.facts, "seed") == TRY(boot_ids(context, step, from)).seed.hex();
}

}  // namespace kiln::steps
