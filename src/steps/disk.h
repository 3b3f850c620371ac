// Pack steps of machines.
#pragma once

#include "image/disk.h"
#include "steps/job.h"

namespace kiln::steps {

/// Pack steps of disks: ec2, gce, disk, qemu.
Result<engine::Outcome> write_disks(const Job& job, const plan::PackStep& what);

}  // namespace kiln::steps
