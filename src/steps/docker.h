// Images as files, in the Docker Engine and in registries: what the docker writer and the docker post-processors share.
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

/// The compressed form of a layer: the blob it came as, the one kept from an earlier build, or a new one.
Result<image::ImageLayer> compressed_layer(const Job& job, const Digest& id, const std::string& progress_text);

/// Writes the hybrid archive to output and, unless -local is given, loads it into the Docker Engine. An archive that
/// stands there from the same step and tree is left alone. make describes the image.
Result<event::Artifact> write_image(const Job& job, const fs::path& output, const std::vector<std::string>& tags,
                                    const std::function<Result<image::ImageSpec>()>& make);
/// The archive written by write_image, if it is current and the Engine (if there is one) has the image by every tag.
Result<std::optional<event::Artifact>> current_image(Context& context, const plan::Step& step, const engine::Tree& from,
                                                     const fs::path& output, const std::vector<std::string>& tags);

/// The image in one of our archives as its writer described it; its layers' blobs are in the store afterwards.
Result<image::ImageSpec> archived_image(const Job& job, const fs::path& archive, const std::vector<std::string>& tags);

// docker-push, docker-import: post-processors that work without an Engine.
Result<event::Artifact> push_image(const Job& job, const plan::PostStep& what, const event::Artifact& input);
Result<event::Artifact> import_tar(const Job& job, const plan::PostStep& what, const event::Artifact& input);

}  // namespace kiln::steps
