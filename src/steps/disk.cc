// Pack steps of machines: one disk, laid out once, written in one format or several.
#include "steps/disk.h"

#include "base/text.h"
#include "steps/artifact.h"

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

/// As Packer names such artifacts. What has no place in a cloud yet is named by what it was made of: equal ids, equal
/// bytes.
event::Artifact artifact_of(const Job& job, const plan::PackStep& what) {
  event::Artifact artifact;
  artifact.id = "sha256:" + artifact_origin(job.step, job.from);
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
  const image::Disk disk = TRY(image::lay_out_disk(TRY(disk_spec(job, what))).context("laying out the disk"));
  TRY(write_files(job, disk, what));
  const event::Artifact artifact = artifact_of(job, what);
  TRY(record_artifact(job.context.store, job.step, job.from, what.output, artifact));
  return engine::Outcome{{}, {artifact}};
}

}  // namespace kiln::steps
