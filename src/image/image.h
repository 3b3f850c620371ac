// Readers and writers of image formats: canonical layer tars, OCI layouts and archives, docker archives, the hybrid
// archive that kiln writes. Everything from outside is hostile (hardening sections 2 and 3).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/cancel.h"
#include "base/json.h"
#include "base/sink.h"

namespace kiln::image {

// ---- Layers as tars (docs/formats/layer-tar.md) ----

struct TarFacts {
  Digest diff_id;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
};

/// Writes a layer directory (overlay form) as its canonical uncompressed tar: sorted, PAX where ustar does not reach,
/// whiteouts as .wh. files, no atime/ctime, numeric ids, no user names. The same directory gives the same bytes,
/// always.
Result<TarFacts> write_layer_tar(const fs::path& tree, Sink& out);
/// The same without output.
Result<TarFacts> measure_layer(const fs::path& tree);

struct Limits {  // hardening section 15
  std::uint64_t layer_bytes = std::uint64_t{64} << 30;
  std::uint64_t entries = 10'000'000;
};

struct UnpackedLayer {
  TarFacts facts;  // of the uncompressed stream as it came
  Digest blob;     // of the compressed stream as it came
  std::uint64_t blob_bytes = 0;
};

/// Unpacks a layer (plain tar, gzip, zstd or xz by its magic) into an empty private directory in overlay form. Every
/// entry is checked; an escape, a bomb, a bad name, a device 0:0 is Errc::corrupt and names the entry.
Result<UnpackedLayer> unpack_layer(Source& in, const fs::path& tree, const Limits& limits, const Cancel& cancel);

/// The same, and pours the layer into `blob` as gzip: as it came where it is gzip, else compressed anew (a Docker
/// Engine saves plain tars, and it reads no zstd). The answer's blob is what was poured.
Result<UnpackedLayer> unpack_layer_kept(Source& in, const fs::path& tree, Sink& blob, unsigned threads,
                                        const Limits& limits, const Cancel& cancel);

/// The same for a plain root file system tarball (tar: base): no whiteouts, they are an error.
Result<UnpackedLayer> unpack_rootfs(Source& in, const fs::path& tree, const Limits& limits, const Cancel& cancel);

// ---- Compression ----

struct Compressed {
  TarFacts tar;
  Digest blob;  // of the gzip stream
  std::uint64_t bytes = 0;
};

/// Pours a layer into out as one gzip member without name and time, in parallel chunks that join into one member; a
/// chunk that deflate would not shrink is stored. The bytes do not depend on the number of threads.
Result<Compressed> compress_layer(const fs::path& tree, Sink& out, unsigned threads, const Cancel& cancel,
                                  const std::function<void(std::uint64_t done_bytes)>& progress = {});

// ---- Image configuration ----

/// The part of an OCI image configuration that kiln reads and writes; everything else in it is kept in `other`.
struct Config {
  std::string architecture = "amd64", os = "linux";
  std::string created;  // RFC 3339
  std::string author;
  std::map<std::string, std::string> env;  // order of a list is not kept: sorted by name
  std::optional<std::vector<std::string>> entrypoint, cmd;
  std::string user, working_dir, stop_signal;
  std::map<std::string, std::string> labels;
  std::vector<std::string> exposed_ports, volumes, on_build;  // sorted but on_build
  Json other = Json::object();                                // unknown members of "config"
};
Result<Config> parse_config(const Json& image_config);

struct HistoryEntry {
  std::string created_by;
  bool empty_layer = false;
};

/// Applies one of Docker's nine instructions ("ENV A=1", "ENTRYPOINT [\"/x\"]", "LABEL a=b" ...), as `docker commit
/// --change` reads them. Errc::usage names the instruction.
Result<> apply_change(Config& config, std::string_view instruction);

/// Several, in order. Not the same as one after the other: ENTRYPOINT forgets the base's CMD, but not one that an
/// earlier instruction of the list set.
Result<> apply_changes(Config& config, const std::vector<std::string>& instructions);

// ---- Reading images ----

struct SourceLayer {
  Digest diff_id;  // empty until unpacked where the format does not say
  Digest blob;     // digest of the stored form; empty where the archive does not say
  std::uint64_t bytes = 0;
  std::function<Result<std::unique_ptr<Source>>()> open;
};

struct SourceImage {
  Digest config_digest;  // identity of the image: sha256 of its config
  Config config;
  std::vector<HistoryEntry> history;
  std::vector<SourceLayer> layers;  // oldest first
  std::string name;                 // name:tag found, if any
  Json raw_config;                  // the image configuration as it came
};

/// docker-archive:F, oci-archive:F, oci:DIR[:tag]. Nothing is unpacked yet, sizes and digests of manifests are checked.
/// Several images without a choice by name is an error that lists the names. platform: linux/amd64.
Result<SourceImage> open_docker_archive(const fs::path& file, std::string_view name);
Result<SourceImage> open_oci_archive(const fs::path& file, std::string_view name);
Result<SourceImage> open_oci_layout(const fs::path& dir, std::string_view name);

/// Unpacks a layer of an opened image and checks what came against the image's diff_id, where it has one.
Result<UnpackedLayer> unpack_image_layer(const SourceLayer& layer, const fs::path& tree, const Limits& limits,
                                         const Cancel& cancel);

// ---- Writing images ----

struct ImageLayer {
  Digest diff_id;
  Digest blob;  // compressed form
  std::uint64_t bytes = 0;
  fs::path path;  // file with exactly that blob
  std::string media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
};

struct ImageSpec {
  Config config;
  std::vector<HistoryEntry> history;  // one per layer and one per empty step
  std::vector<ImageLayer> layers;     // oldest first, at most 100 (the caller merges above that)
  std::vector<std::string> tags;      // "spark:4.3.0"
};

struct ImageIds {
  Digest config;    // Docker's image id
  Digest manifest;  // OCI manifest digest
};

/// One file that is a docker-archive and an oci-archive at once (docs/formats/hybrid-archive.md). Layers in `absent`
/// (by diff_id) are named but left out: Docker Engine has them already.
Result<ImageIds> write_hybrid_archive(const ImageSpec& spec, Sink& out, const std::vector<Digest>& absent = {});

/// An OCI image layout directory; must not exist.
Result<ImageIds> write_oci_layout(const ImageSpec& spec, const fs::path& dir);

/// The ids without writing anything.
Result<ImageIds> image_ids(const ImageSpec& spec);

/// The exact bytes of the config and of the OCI manifest that the writers put in; a registry push sends them.
struct ImageTexts {
  std::string config, manifest;
};
Result<ImageTexts> image_texts(const ImageSpec& spec);

}  // namespace kiln::image
