// The compress post-processor: the files of an artifact in one archive, or one file compressed. Formats: tar, gzip and
// xz (with or without tar), zip. The same files give the same bytes: no times, no owners.
#pragma once

#include "steps/job.h"

namespace kiln::steps {

/// Writes options.output, by options.format ("tar", "tar.gz", "gz", "tar.xz", "xz", "zip").
Result<event::Artifact> compress(const Job& job, const plan::PostStep& what, const event::Artifact& input);

}  // namespace kiln::steps
