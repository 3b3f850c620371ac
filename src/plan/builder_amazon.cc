// The amazon-ebs builder: an EC2 disk. Options of publishing are known and not read yet.
#include "plan/builders.h"

namespace kiln::plan {

namespace {

/// nvme_core.io_timeout: EBS may answer late, and the kernel's 30 s would lose the root file system.
constexpr const char* kAmazonKernelOptions = "console=tty0 console=ttyS0,115200n8 nvme_core.io_timeout=4294967295";

bool is_root_device(const std::string& name) {
  return name == "/dev/xvda" || name == "/dev/sda1";
}

/// volume_size of the root device in blocks of a type; 0: they do not say.
std::uint64_t root_volume_bytes(tmpl::BodyReader& options, const char* type) {
  std::uint64_t found = 0;
  for (const tmpl::NestedBlock& block : options.blocks(type)) {
    tmpl::BodyReader mapping = options.nested(block, fmt::format("block \"{}\"", type));
    const std::uint64_t bytes = read_gib(mapping, "volume_size");
    if (bytes > 0 && is_root_device(mapping.string("device_name").value_or(""))) found = bytes;
    mapping.ignore({"volume_type", "iops", "throughput", "delete_on_termination", "encrypted", "kms_key_id",
                    "snapshot_id", "virtual_name", "no_device"});
    mapping.finish();
  }
  return found;
}

}  // namespace

BuilderPlan read_amazon_ebs(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world) {
  BuilderPlan plan = read_machine(options, "source_ami", !options.blocks("source_ami_filter").empty());
  plan.boot->cloud = "ec2";
  plan.boot->kernel_options = kAmazonKernelOptions;
  const std::uint64_t launched = root_volume_bytes(options, "launch_block_device_mappings");
  const std::uint64_t registered = root_volume_bytes(options, "ami_block_device_mappings");
  plan.pack = pack_disks("ec2", registered > 0 ? registered : launched,
                         {{"raw", world.output_dir / (file_stem(build) + "-ec2.raw")}});
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

}  // namespace kiln::plan
