// Images in registries, as the image room knows images: opening one as a base, pushing a finished one.
#pragma once

#include "cloud/cloud.h"
#include "image/image.h"

namespace kiln::publish {

/// Opens the image that ref.digest names (an index is followed to linux/amd64). Nothing of the layers is fetched yet;
/// each layer's source checks size and digest to its end. Errc::usage without a digest: resolve first. registry and
/// cancel must outlive the image.
Result<image::SourceImage> open_registry_image(cloud::Registry& registry, const cloud::Reference& ref,
                                               const Cancel& cancel);

/// A blob known to be in a repository, so that the registry can take it over instead of getting it again.
struct KnownBlob {
  Digest blob;
  cloud::Reference at;
};

struct PushProgress {
  std::uint64_t done_bytes = 0, total_bytes = 0;  // of all layers, those already there included
};

struct PushOptions {
  std::vector<KnownBlob> known;
  std::vector<std::string> more_tags;  // beside ref.tag
  std::function<void(const PushProgress&)> progress;
};

struct PushResult {
  Digest manifest;
  std::uint64_t uploaded_bytes = 0;
  std::size_t uploaded = 0, mounted = 0, present = 0;  // layers
};

/// Puts an image into ref's repository: blobs first, then the manifest by its digest, tags last, so that a stop
/// anywhere leaves nothing half-public. Layer files are read while they are sent and must have their digests.
Result<PushResult> push_image(cloud::Registry& registry, const cloud::Reference& ref, const image::ImageSpec& spec,
                              const PushOptions& options, const Cancel& cancel);

}  // namespace kiln::publish
