// The JSON documents of an image and the names in them: configuration, manifest, index, Docker's manifest.json, media
// types, references. Pure: text to values and back. Formats: OCI image specification 1.0.2 and docs/formats/
// hybrid-archive.md.
#pragma once

#include "image/decompress.h"
#include "image/image.h"

namespace kiln::image {

inline constexpr std::uint64_t kMaxManifestBytes = 4 << 20;  // hardening section 15
inline constexpr std::uint64_t kMaxConfigBytes = 8 << 20;
inline constexpr std::size_t kMaxLayersRead = 512;

inline constexpr const char* kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr const char* kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr const char* kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr const char* kDockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr const char* kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr const char* kDockerConfig = "application/vnd.docker.container.image.v1+json";

/// How a layer of this media type is compressed; Errc::corrupt names a type that is no layer.
Result<Compression> layer_compression(std::string_view media_type);

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::map<std::string, std::string> annotations;
  std::string os, architecture;  // "" where not said
};
Result<Descriptor> parse_descriptor(const Json& value);

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;
};
Result<Manifest> parse_manifest(const Json& value);

/// The descriptors of an index.
Result<std::vector<Descriptor>> parse_index(const Json& value);

Result<std::vector<HistoryEntry>> parse_history(const Json& image_config);
Result<std::vector<Digest>> parse_diff_ids(const Json& image_config);
Json render_config(const ImageSpec& spec);

/// "spark" -> "docker.io/library/spark:latest", as Docker completes names. Errc::usage for what Docker would not take.
Result<std::string> full_image_name(std::string_view name);

/// All documents of an image.
struct ImageDocuments {
  ImageIds ids;
  std::string config, manifest, index, docker_manifest, oci_layout;
};
Result<ImageDocuments> render_documents(const ImageSpec& spec);

/// "blobs/sha256/HEX".
std::string blob_path(const Digest& digest);

}  // namespace kiln::image
