// Names of images in registries: "debian:bookworm", "host:5000/team/app:tag@sha256:...", as docker and skopeo write
// them. Grammar: github.com/distribution/reference. Which registry a name without a host means is configuration.
#pragma once

#include <string>
#include <string_view>

#include "base/hash.h"

namespace kiln::cloud {

struct Reference {
  std::string host;  // "registry.example" or "127.0.0.1:5000"
  std::string path;  // "team/app"
  std::string tag;   // may be empty when there is a digest
  Digest digest;     // wins over the tag

  std::string repository() const { return host + "/" + path; }
  /// As people write it: repository[:tag][@digest].
  std::string text() const;
  /// The tag or digest that names the manifest in the registry's API.
  std::string version() const { return digest.empty() ? tag : digest.text(); }
  bool operator==(const Reference&) const = default;
};

/// Splits and checks a name; "docker://" in front is dropped. Without tag and digest the tag is "latest". The host
/// stays empty where none is written. Errc::usage says what is wrong.
Result<Reference> parse_reference(std::string_view text);

}  // namespace kiln::cloud
