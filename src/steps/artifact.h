// Remembering which file was written from which tree, so that an unchanged build writes nothing.
#pragma once

#include "steps/job.h"

namespace kiln::steps {

/// The file's identity on disk (device, inode, size, times) with the step and tree it came from.
Result<> record_artifact(store::Store& store, const plan::Step& step, const engine::Tree& from, const fs::path& output,
                         const event::Artifact& artifact);

/// The artifact, if the file stands there as it was recorded and would come out the same again.
Result<std::optional<event::Artifact>> recorded_artifact(store::Store& store, const plan::Step& step,
                                                         const engine::Tree& from, const fs::path& output);

Json artifact_json(const event::Artifact& artifact);
event::Artifact artifact_from(const Json& value);

}  // namespace kiln::steps
