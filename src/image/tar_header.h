// The headers of POSIX tar (pax interchange format, IEEE 1003.1-2017 "pax"): the 512-byte block, the extended records
// before it, and what kiln writes of them. Reading them: tar_reader.h. The subset: docs/formats/layer-tar.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"

namespace kiln::image {

inline constexpr std::size_t kTarBlock = 512;
inline constexpr std::size_t kTarRecord = 20 * kTarBlock;        // a tar ends with a whole record
inline constexpr std::uint64_t kMaxTarOctal = 077'777'777'777;   // larger numbers of 12 bytes are in base 256
inline constexpr std::string_view kWhiteoutPrefix = ".wh.";      // OCI image-spec, layer.md: deletes what follows it
inline constexpr std::string_view kOpaqueName = ".wh..wh..opq";  // hides what older layers have in its directory

struct UstarHeader {
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
  char type;
  char link[100], magic[6], version[2], uname[32], gname[32], dev_major[8], dev_minor[8], prefix[155], padding[12];
};
static_assert(sizeof(UstarHeader) == kTarBlock);

enum class TarType : char {
  file = '0',
  hard_link = '1',
  symlink = '2',
  char_device = '3',
  block_device = '4',
  directory = '5',
  fifo = '6',
};

/// What a file of this st_mode is in an archive; file for a socket, which no archive has.
TarType tar_type_of(std::uint32_t mode);

/// Bytes of a sparse file that the archive holds; the rest is holes.
struct TarExtent {
  std::uint64_t offset = 0, bytes = 0;
};

/// One member of an archive. Ids are at most 2^32-2, times whole seconds since 1970.
struct TarMember {
  std::string path;  // no "/" in front or at the end; "" is the root directory
  TarType type = TarType::file;
  std::uint32_t mode = 0;  // permission bits, set-id bits, sticky bit
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size = 0;  // of the file as it will be on disk; 0 for all other types
  std::int64_t mtime = 0;
  std::string link;                            // target of a symbolic link; path of a hard link's first name
  std::uint32_t dev_major = 0, dev_minor = 0;  // of devices
  std::map<std::string, std::string> xattrs;   // by full name ("user.a")
  bool sparse = false;                         // then only `extents` are stored
  std::vector<TarExtent> extents;              // ascending, inside size
};

/// Whether a layer carries an attribute of this name: user.*, security.capability and POSIX ACLs; nothing of overlay,
/// SELinux or IMA (hardening section 2, rule 6).
bool is_layer_xattr(std::string_view name);

/// Zero bytes that fill a member's data up to a whole block.
std::size_t tar_padding(std::uint64_t size);

/// The header blocks of a member: an extended header where ustar does not reach, then the ustar block. Sparse members
/// are not written.
std::string render_tar_header(const TarMember& member);

/// Value of the checksum field: the sum of the block's bytes with the field itself taken as spaces.
std::uint32_t tar_checksum(const UstarHeader& header);

}  // namespace kiln::image
