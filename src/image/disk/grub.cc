#include "image/disk/grub.h"

#include "base/endian.h"

namespace kiln::image {

namespace {

// boot.img (grub's include/grub/i386/pc/boot.h gives the offsets)
constexpr std::size_t kCodeStart = 0x5a;       // before it a jump over what a FAT would have there
constexpr std::size_t kJumpBytes = 3;          //
constexpr std::size_t kKernelSectorAt = 0x5c;  // where core.img starts
constexpr std::size_t kBootDriveAt = 0x64;
constexpr std::size_t kDriveCheckAt = 0x66;  // a jump taken on floppies
constexpr std::size_t kCodeEnd = 0x1b8;      // disk signature and partition table follow

// the first sector of core.img
constexpr std::size_t kNextListAt = 0x1e8;  // 12 bytes each, growing down; zeros end the list
constexpr std::size_t kListAt = 0x1f4;
constexpr std::uint16_t kLoadSegment = 0x820;

constexpr std::uint64_t kMaxCoreSectors = (0x78000 - 0x9000) / kSectorBytes;  // between its load address and its end

struct BlockList {
  le64 first_sector;
  le16 sectors, segment;
};
static_assert(sizeof(BlockList) == 12);

template <class T>
void put(std::string& bytes, std::size_t at, const T& value) {
  bytes.replace(at, sizeof value, as_text(bytes_of(value)));
}

}  // namespace

Result<> embed_boot_image(const GrubFiles& files, std::uint64_t core_sector, std::string& sector0) {
  const std::string& boot = files.boot;
  if (boot.size() != kSectorBytes || !boot.ends_with("\x55\xaa"))
    return error(Errc::corrupt, "boot.img is no boot sector ({} bytes)", boot.size());
  sector0.replace(0, kJumpBytes, boot, 0, kJumpBytes);
  sector0.replace(kCodeStart, kCodeEnd - kCodeStart, boot, kCodeStart, kCodeEnd - kCodeStart);
  put(sector0, kKernelSectorAt, le64(core_sector));
  put(sector0, kBootDriveAt, std::uint8_t{0xff});           // the drive that the BIOS says
  put(sector0, kDriveCheckAt, std::array{'\x90', '\x90'});  // no floppy: go on
  return {};
}

Result<std::string> placed_core_image(const GrubFiles& files, std::uint64_t first_sector, std::uint64_t sectors) {
  std::string core = files.core;
  const std::uint64_t used = (core.size() + kSectorBytes - 1) / kSectorBytes;
  if (used < 2) return error(Errc::corrupt, "core.img is no GRUB image ({} bytes)", core.size());
  const std::uint64_t most = std::min(kMaxCoreSectors, sectors);
  if (used > most)
    return error(Errc::corrupt, "core.img has {} sectors, {} can be loaded; make it with fewer modules", used, most);
  core.resize(used * kSectorBytes, '\0');
  put(core, kListAt, BlockList{first_sector + 1, static_cast<std::uint16_t>(used - 1), kLoadSegment});
  core.replace(kNextListAt, sizeof(BlockList), sizeof(BlockList), '\0');
  return core;
}

}  // namespace kiln::image
