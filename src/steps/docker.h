// What the docker writer needs beside the image room: merging of layers, and the Docker Engine.
#pragma once

#include "image/image.h"
#include "steps/job.h"

namespace kiln::steps {

/// Lays layers (oldest first) over each other into a new directory of hard links: same file system, nothing copied.
Result<> merge_layers(const std::vector<fs::path>& layers, const fs::path& into);

/// One layer that is the sum of the given ones; kept in the store.
Result<Digest> merge_oldest(const Job& job, const std::vector<Digest>& layers);
/// History with the entries of the first `layers` layers made one.
std::vector<image::HistoryEntry> merge_history(const std::vector<image::HistoryEntry>& history, std::size_t layers);

/// Loads an image where there is an Engine; without one it says so once and goes on.
Result<> load_into_engine(const Job& job, const image::ImageSpec& spec);
/// Whether the Engine, if there is one, has the image.
Result<bool> engine_has(Context& context, const event::Artifact& artifact);

}  // namespace kiln::steps
