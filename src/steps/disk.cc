// Pack steps of machines: one disk, laid out once, written in one format or several.
#include "steps/disk.h"

#include "base/text.h"
#include "steps/artifact.h"
#include "steps/earlier_disk.h"

namespace kiln::steps {

namespace {

/// What the boot step below this pack step says of its layer.
Result<Json> boot_facts(const Job& job) {
  const plan::Step& boot = job.context.plan.steps[job.step.parents.front()];
  const auto result = TRY(job.context.store.find_result(boot.key));
  if (!result || json_string(result->facts, "seed").empty())
    return error(Errc::not_found, "the boot layer has gone from the store; build again");
  return result->facts;
}

Result<image::DiskSpec> disk_spec(const Job& job, const plan::PackStep& what) {
  const Json facts = TRY(boot_facts(job));
  image::DiskSpec spec;
  spec.layers = TRY(layer_paths(job.context.store, job.from));
  spec.bytes = what.disk_bytes;
  spec.seed = Digest::from_hex(json_string(facts, "seed"));
  spec.root_uuid = image::derive_uuid(spec.seed, "root");
  spec.clock = clock_of(job.from);
  spec.bios = facts.value("bios", true);
  spec.efi = facts.value("uefi", true);
  return spec;
}

Result<> write_files(const Job& job, const image::Disk& disk, const plan::PackStep& what) {
  std::vector<image::DiskTarget> targets;
  std::vector<std::string> names;
  for (const plan::DiskFile& file : what.files) {
    TRY(make_dirs(file.path.parent_path()));
    targets.push_back({TRY(image::find_disk_format(file.format)), file.path});
    names.push_back(file.path.filename().native());
  }
  const std::string text = "writing " + join(names, ", ");
  job.progress(text, 0, disk.data_bytes());
  const image::DiskWriting how{.threads = job.context.settings.threads,
                               .cancel = job.cancel,
                               .progress = [&](std::uint64_t done) { job.progress(text, done, disk.data_bytes()); }};
  TRY(image::write_disk_files(disk, targets, how));
  return {};
}

/// What a disk is made of, as one hash: its tree, and the earlier disk that it was laid out after.
std::string id_of(const std::string& origin, const std::optional<EarlierDisk>& earlier) {
  return "sha256:" + (earlier ? sha256(origin + sha256(earlier->block_map).hex()).hex() : origin);
}

/// As Packer names such artifacts. What has no place in a cloud yet is named by what it was made of: equal ids, equal
/// bytes.
event::Artifact artifact_of(const plan::PackStep& what, const std::string& id) {
  event::Artifact artifact;
  artifact.id = id;
  for (const plan::DiskFile& file : what.files) artifact.files.push_back(file.path.native());
  const std::string files = join(artifact.files, ", ");
  if (what.format == "ec2") {
    artifact.builder_id = "mitchellh.amazonebs";
    artifact.text = "EC2 disk: " + files;
  } else if (what.format == "gce") {
    artifact.builder_id = "packer.googlecompute";
    artifact.text = "Compute Engine image: " + files;
  } else if (what.format == "qemu") {
    artifact.builder_id = "transcend.qemu";
    artifact.id = "VM";
    artifact.text = "VM files in directory: " + what.output.parent_path().native();
  } else {
    artifact.builder_id = "kiln.disk";
    artifact.text = "Disk: " + files;
  }
  return artifact;
}

}  // namespace

Result<engine::Outcome> write_disks(const Job& job, const plan::PackStep& what) {
  job.progress("laying out the disk", 0, 0);
  image::DiskSpec spec = TRY(disk_spec(job, what));
  const std::string origin = artifact_origin(job.step, job.from);
  const auto earlier = TRY(earlier_disk(job.context, what.output, origin));
  if (earlier) spec.earlier = earlier->block_map;
  const image::Disk disk = TRY(image::lay_out_disk(spec).context("laying out the disk"));
  TRY(write_files(job, disk, what));
  const std::string id = earlier && earlier->is_same ? earlier->id : id_of(origin, earlier);
  TRY(keep_disk(job.context.store, what.output, origin, {.seed = spec.seed, .block_map = disk.block_map, .id = id}));
  const event::Artifact artifact = artifact_of(what, id);
  TRY(record_artifact(job.context.store, job.step, job.from, what.output, artifact));
  return engine::Outcome{{}, {artifact}};
}

}  // namespace kiln::steps
