// Remembering which file was written from which tree, so that an unchanged build writes nothing.
#pragma once

#include "steps/job.h"

namespace kiln::steps {

/// What an artifact is made of, as one hash: the step's description and the tree. Equal origins, equal bytes.
std::string artifact_origin(const plan::Step& step, const engine::Tree& from);

/// The files' identities on disk (device, inode, size, times) with the step and tree they came from; output, the first
/// of them, names the record.
Result<> record_artifact(store::Store& store, const plan::Step& step, const engine::Tree& from, const fs::path& output,
                         const event::Artifact& artifact);

/// The artifact, if its files stand there as they were recorded and would come out the same again.
Result<std::optional<event::Artifact>> recorded_artifact(store::Store& store, const plan::Step& step,
                                                         const engine::Tree& from, const fs::path& output);

/// A path as people gave it: relative to where kiln was started when it is below that.
std::string shown_path(const Job& job, const fs::path& path);

Json artifact_json(const event::Artifact& artifact);
event::Artifact artifact_from(const Json& value);

}  // namespace kiln::steps
