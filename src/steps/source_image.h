// Images as bases: opening them by transport, and what of them later steps need.
#pragma once

#include "image/image.h"
#include "steps/job.h"

namespace kiln::steps {

/// docker-archive:, oci-archive:, oci: with an optional ":tag" or ":name:tag" after the path.
Result<image::SourceImage> open_source_image(const plan::BaseRef& ref);

/// An image with what must live as long as it is read.
struct OpenedImage {
  std::shared_ptr<void> keep;
  image::SourceImage image;
};
/// The same for every transport; docker: by the pinned digest only, docker-daemon: through an archive in spool.
Result<OpenedImage> open_pinned_image(const Job& job, const plan::BaseStep& what, const fs::path& spool);

/// What a name in a registry or in the Docker Engine stands for now.
Result<Json> pin_remote(const plan::BaseRef& ref, const Settings& settings, const Cancel& cancel);

/// Configuration and history of an image, kept with the base's result.
Json image_facts(const image::SourceImage& image);

}  // namespace kiln::steps
