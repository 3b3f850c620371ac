// The googlecompute builder: a Compute Engine image. Options of publishing are known and not read yet.
#include "plan/builders.h"

namespace kiln::plan {

BuilderPlan read_googlecompute(const tmpl::Build& build, tmpl::BodyReader& options, const Surroundings& world) {
  BuilderPlan plan = read_machine(options, "source_image", options.has("source_image_family"));
  plan.boot->cloud = "gce";
  plan.boot->kernel_options = "console=ttyS0,38400n8d";
  plan.pack = pack_disks("gce", read_gib(options, "disk_size"),
                         {{"gce", world.output_dir / (file_stem(build) + "-gce.tar.gz")}});
  for (const char* name : {"project_id", "image_name", "image_family", "image_description", "image_labels",
                           "image_licenses", "image_storage_locations", "image_guest_os_features", "image_architecture",
                           "image_project_id", "image_encryption_key", "source_image_family", "source_image_project_id",
                           "account_file", "credentials_file", "access_token", "skip_create_image"}) {
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

}  // namespace kiln::plan
