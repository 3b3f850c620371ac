#include "image/disk/ext4_reader.h"

#include <ext2fs/ext2fs.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "image/disk/ext4_acl.h"
#include "image/disk/ext4_format.h"
#include "image/tar_header.h"

namespace kiln::image {

namespace {

constexpr std::uint64_t kSuperAt = 1024;
constexpr std::uint64_t kMaxDescriptorBytes = std::uint64_t{64} << 20;  // of a file system of 128 TiB
constexpr std::uint64_t kMaxSteps = 20'000'000;                         // nodes, extents, blocks of directories
constexpr std::size_t kMaxRuns = 1'000'000;                             // of a file
constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{1} << 30;
constexpr std::size_t kMaxLinkBytes = 4095;

// ---- libext2fs's way to the disk ----

struct Channel : struct_io_channel {
  BlockReader* disk = nullptr;
  std::string path, why;  // why: what the disk said last
};

Channel* channel_of(io_channel channel) {
  return static_cast<Channel*>(channel);
}

errcode_t close_channel(io_channel channel) {
  if (--channel->refcount == 0) delete channel_of(channel);
  return 0;
}

errcode_t set_block_bytes(io_channel channel, int bytes) {
  channel->block_size = bytes;
  return 0;
}

/// count: blocks, or bytes where negative.
errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void* data) {
  const auto size = static_cast<std::uint64_t>(channel->block_size);
  const std::uint64_t bytes =
      count < 0 ? static_cast<std::uint64_t>(-std::int64_t{count}) : static_cast<std::uint64_t>(count) * size;
  if (block > ~std::uint64_t{0} / size) return EXT2_ET_SHORT_READ;
  auto done = channel_of(channel)->disk->read(block * size, {static_cast<std::byte*>(data), bytes});
  if (done) return 0;
  channel_of(channel)->why = done.error().text();
  return EXT2_ET_SHORT_READ;
}

errcode_t read_blocks_32(io_channel channel, unsigned long block, int count, void* data) {
  return read_blocks(channel, block, count, data);
}

errcode_t write_nothing(io_channel, unsigned long, int, const void*) {
  return EXT2_ET_RO_FILSYS;
}

errcode_t write_nothing_64(io_channel, unsigned long long, int, const void*) {
  return EXT2_ET_RO_FILSYS;
}

errcode_t flush_nothing(io_channel) {
  return 0;
}

errcode_t open_channel(const char* name, int flags, io_channel* made);

struct_io_manager make_manager() {
  struct_io_manager manager{};
  manager.magic = EXT2_ET_MAGIC_IO_MANAGER;
  manager.name = "kiln";
  manager.open = open_channel;
  manager.close = close_channel;
  manager.set_blksize = set_block_bytes;
  manager.read_blk = read_blocks_32;
  manager.write_blk = write_nothing;
  manager.flush = flush_nothing;
  manager.read_blk64 = read_blocks;
  manager.write_blk64 = write_nothing_64;
  return manager;
}

/// Constant after it is made; the library wants it without const.
io_manager the_manager() {
  static struct_io_manager manager = make_manager();
  return &manager;
}

/// The only thing that the library hands through is a name: it is the reader's address.
errcode_t open_channel(const char* name, int /*flags*/, io_channel* made) {
  std::uintptr_t address = 0;
  const std::string_view text = name;
  std::from_chars(text.data(), text.data() + text.size(), address);
  auto channel = std::make_unique<Channel>();
  channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
  channel->manager = the_manager();
  channel->path = text;
  channel->name = channel->path.data();
  channel->block_size = kSuperAt;
  channel->refcount = 1;
  channel->disk = reinterpret_cast<BlockReader*>(address);  // NOLINT(performance-no-int-to-ptr)
  *made = channel.release();
  return 0;
}

// ---- What an inode says ----

/// Room for any inode with all the fields that this library knows.
struct WholeInode {
  explicit WholeInode(std::size_t bytes) : text(std::max(bytes, sizeof(ext2_inode_large)) / 8 + 1) {}
  ext2_inode* small() { return reinterpret_cast<ext2_inode*>(text.data()); }
  ext2_inode_large* large() { return reinterpret_cast<ext2_inode_large*>(text.data()); }
  std::vector<std::uint64_t> text;  // zero where the inode is shorter
};

void read_time(const ext2_inode_large& from, Ext4Inode& to) {
  to.mtime = static_cast<std::int32_t>(from.i_mtime);
  if (from.i_extra_isize < offsetof(ext2_inode_large, i_mtime_extra) + 4 - 128) return;
  to.mtime += static_cast<std::int64_t>(from.i_mtime_extra & 3) << 32;
}

void read_device(const ext2_inode& from, Ext4Inode& to) {
  const std::uint32_t old = from.i_block[0], wide = from.i_block[1];
  to.dev_major = old != 0 ? old >> 8 & 0xff : (wide & 0xfff00) >> 8;
  to.dev_minor = old != 0 ? old & 0xff : (wide & 0xff) | (wide >> 12 & 0xfff00);
}

/// What can be seen before the library allocates anything by what the superblock says.
Result<> check_superblock(BlockReader& disk) {
  const auto super = TRY(read_struct<ext4::Superblock>(disk, kSuperAt));
  if (super.magic != ext4::kSuperMagic) return error(Errc::corrupt, "no ext4 superblock");
  if (super.log_block_size > 6)
    return error(Errc::corrupt, "ext4: blocks of 2^{} KiB", std::uint32_t{super.log_block_size});
  const bool is_64bit = (super.incompatible & EXT4_FEATURE_INCOMPAT_64BIT) != 0;
  const std::uint64_t block_bytes = kSuperAt << super.log_block_size;
  const std::uint64_t blocks = super.blocks_lo | (is_64bit ? std::uint64_t{super.blocks_hi} << 32 : 0);
  if (blocks > disk.bytes() / block_bytes) {
    return error(Errc::corrupt, "ext4: {} blocks of {} bytes, in a place of {} bytes: the file is cut off or damaged",
                 blocks, block_bytes, disk.bytes());
  }
  if (super.blocks_per_group == 0 || blocks / super.blocks_per_group > kMaxDescriptorBytes / 64) {
    return error(Errc::corrupt, "ext4: {} blocks in groups of {}", blocks, std::uint32_t{super.blocks_per_group});
  }
  if ((super.incompatible & EXT3_FEATURE_INCOMPAT_RECOVER) != 0) {
    return error(Errc::corrupt,
                 "ext4: unmounted uncleanly, its journal holds changes: start it once and shut it down, or run e2fsck "
                 "on a copy");
  }
  if ((super.state & EXT2_ERROR_FS) != 0 || (super.state & EXT2_VALID_FS) == 0) {
    return error(Errc::corrupt, "ext4: marked as unclean or with errors: run e2fsck on a copy");
  }
  return {};
}

using Visit = std::function<Result<>(std::string_view name, std::uint32_t inode)>;

/// One block of a directory: entries that lead from one to the next up to its end.
Result<> visit_names(std::span<const std::byte> block, std::uint32_t directory, const Visit& visit) {
  const auto is_bad = [](std::string_view n) { return n.empty() || n.find('/') != n.npos || n.find('\0') != n.npos; };
  while (block.size() >= sizeof(ext4::DirectoryEntry)) {
    ext4::DirectoryEntry entry;
    std::copy_n(block.data(), sizeof entry, reinterpret_cast<std::byte*>(&entry));
    const bool is_whole = entry.bytes == 0 || entry.bytes == 0xffff;  // of 64 KiB, which the field cannot hold
    const std::size_t room = is_whole ? 65536 : entry.bytes & ~3U;
    const std::size_t needed = sizeof entry + entry.name_bytes;
    if (room < sizeof entry || room > block.size() || (entry.inode != 0 && needed > room)) {
      return error(Errc::corrupt, "ext4: directory of inode {}: an entry of {} bytes", directory, room);
    }
    const std::string_view name = as_text(block.subspan(sizeof entry, std::min(needed, room) - sizeof entry));
    block = block.subspan(room);
    if (entry.inode == 0 || name == "." || name == "..") continue;
    if (is_bad(name)) return error(Errc::corrupt, "ext4: directory of inode {}: a bad name", directory);
    TRY(visit(name, entry.inode));
  }
  return {};
}

}  // namespace

Error Ext4Reader::failed(long code, std::string_view what) const {
  const std::string why = fs_ != nullptr ? std::exchange(channel_of(fs_->io)->why, {}) : std::string();
  return error(Errc::corrupt, "ext4: {}: {}{}{}; e2fsck -fn tells more", what, ::error_message(code),
               why.empty() ? "" : ": ", why);
}

Result<> Ext4Reader::step() {
  if (++steps_ > kMaxSteps) return error(Errc::corrupt, "ext4: more than {} parts, or circles of them", kMaxSteps);
  return {};
}

Result<std::unique_ptr<Ext4Reader>> Ext4Reader::open(BlockReader& disk) {
  std::unique_ptr<Ext4Reader> reader(new Ext4Reader(disk));
  TRY(reader->start());
  return reader;
}

Result<> Ext4Reader::start() {
  static const bool has_texts = (::initialize_ext2_error_table(), true);
  (void)has_texts;
  TRY(check_superblock(disk_));
  const std::string name = fmt::format("{}", reinterpret_cast<std::uintptr_t>(&disk_));
  const errcode_t code = ::ext2fs_open(name.c_str(), EXT2_FLAG_64BITS, 0, 0, the_manager(), &fs_);
  if (code == EXT2_ET_UNSUPP_FEATURE || code == EXT2_ET_RO_UNSUPP_FEATURE) {
    return error(Errc::bad_template,
                 "ext4: it has features that libext2fs does not know, not supported yet: e2fsck -fn "
                 "of the same release names them");
  }
  if (code != 0) return failed(code, "opening");
  block_bytes_ = fs_->blocksize;
  return {};
}

Ext4Reader::~Ext4Reader() {
  if (fs_ != nullptr) ::ext2fs_free(fs_);
}

Result<Ext4Inode> Ext4Reader::inode(std::uint32_t number) {
  WholeInode whole(EXT2_INODE_SIZE(fs_->super));
  const errcode_t code =
      ::ext2fs_read_inode_full(fs_, number, whole.small(), static_cast<int>(EXT2_INODE_SIZE(fs_->super)));
  if (code != 0) return failed(code, fmt::format("inode {}", number));
  const ext2_inode& from = *whole.small();
  Ext4Inode to{.number = number, .mode = from.i_mode, .links = from.i_links_count};
  to.uid = from.i_uid | static_cast<std::uint32_t>(from.osd2.linux2.l_i_uid_high) << 16;
  to.gid = from.i_gid | static_cast<std::uint32_t>(from.osd2.linux2.l_i_gid_high) << 16;
  to.size = S_ISREG(to.mode) || S_ISDIR(to.mode) ? EXT2_I_SIZE(whole.small()) : from.i_size;
  read_time(*whole.large(), to);
  if (S_ISCHR(to.mode) || S_ISBLK(to.mode)) read_device(from, to);
  if (to.links == 0) return error(Errc::corrupt, "ext4: inode {} is not in use", number);
  if ((from.i_flags & (EXT4_INLINE_DATA_FL | EXT4_ENCRYPT_FL)) != 0) {
    return error(Errc::bad_template, "ext4: inode {} is {}, not supported yet", number,
                 (from.i_flags & EXT4_ENCRYPT_FL) != 0 ? "encrypted" : "stored inline");
  }
  return to;
}

Result<> Ext4Reader::add_run(const Ext4Inode& of, std::uint64_t logical, std::uint64_t physical, std::uint64_t blocks,
                             std::vector<Ext4Run>& runs) const {
  const std::uint64_t all = ext2fs_blocks_count(fs_->super);
  if (physical < fs_->super->s_first_data_block || physical >= all || blocks > all - physical) {
    return error(Errc::corrupt, "ext4: inode {}: blocks {} to {} are outside", of.number, physical,
                 physical + blocks - 1);
  }
  const std::uint64_t offset = logical * block_bytes_, place = physical * block_bytes_;
  const std::uint64_t end = runs.empty() ? 0 : runs.back().offset + runs.back().bytes;
  if (offset < end) return error(Errc::corrupt, "ext4: inode {}: its blocks are out of order", of.number);
  if (offset >= of.size) return {};
  const std::uint64_t bytes = std::min(blocks * block_bytes_, of.size - offset);
  if (!runs.empty() && offset == end && runs.back().disk_offset + runs.back().bytes == place) {
    runs.back().bytes += bytes;
    return {};
  }
  if (runs.size() >= kMaxRuns) return error(Errc::corrupt, "ext4: inode {}: more than {} pieces", of.number, kMaxRuns);
  runs.push_back({offset, place, bytes});
  return {};
}

Result<> Ext4Reader::walk_extents(const Ext4Inode& of, std::vector<Ext4Run>& runs) {
  ext2_extent_handle_t raw = nullptr;
  errcode_t code = ::ext2fs_extent_open(fs_, of.number, &raw);
  if (code != 0) return failed(code, fmt::format("extents of inode {}", of.number));
  const std::unique_ptr<ext2_extent_handle, void (*)(ext2_extent_handle_t)> handle(raw, ::ext2fs_extent_free);
  std::uint64_t next = 0;
  for (int move = EXT2_EXTENT_ROOT;; move = EXT2_EXTENT_NEXT) {
    ext2fs_extent extent{};
    code = ::ext2fs_extent_get(handle.get(), move, &extent);
    if (code == EXT2_ET_EXTENT_NO_NEXT) return {};
    if (code != 0) return failed(code, fmt::format("extents of inode {}", of.number));
    TRY(step());
    if ((extent.e_flags & EXT2_EXTENT_FLAGS_LEAF) == 0) continue;
    if (extent.e_lblk < next || extent.e_len == 0) {
      return error(Errc::corrupt, "ext4: inode {}: its extents are out of order", of.number);
    }
    next = extent.e_lblk + extent.e_len;
    if ((extent.e_flags & EXT2_EXTENT_FLAGS_UNINIT) != 0) continue;  // reserved and never written: a hole
    TRY(add_run(of, extent.e_lblk, extent.e_pblk, extent.e_len, runs));
  }
}

/// The numbers of ext2: block is a data block on level 0, and a block of such numbers on each higher level.
Result<> Ext4Reader::walk_map(const Ext4Inode& of, std::uint32_t block, int level, std::uint64_t& logical,
                              std::vector<Ext4Run>& runs) {
  if (logical * block_bytes_ >= of.size) return {};
  const std::uint64_t each = block_bytes_ / sizeof(le32);
  if (block == 0) {
    std::uint64_t skipped = 1;
    for (int i = 0; i < level; ++i) skipped *= each;
    logical += skipped;
    return {};
  }
  if (level == 0) return add_run(of, logical++, block, 1, runs);
  TRY(step());
  std::vector<le32> numbers(each);
  TRY(disk_.read(block * block_bytes_, std::as_writable_bytes(std::span(numbers))).context("inode {}", of.number));
  for (const std::uint32_t number : numbers) TRY(walk_map(of, number, level - 1, logical, runs));
  return {};
}

Result<std::vector<Ext4Run>> Ext4Reader::runs(const Ext4Inode& of) {
  WholeInode whole(EXT2_INODE_SIZE(fs_->super));
  const errcode_t code = ::ext2fs_read_inode(fs_, of.number, whole.small());
  if (code != 0) return failed(code, fmt::format("inode {}", of.number));
  std::vector<Ext4Run> runs;
  if (of.size > std::uint64_t{1} << 60) return error(Errc::corrupt, "ext4: inode {}: {} bytes", of.number, of.size);
  if ((whole.small()->i_flags & EXT4_EXTENTS_FL) != 0) {
    TRY(walk_extents(of, runs));
    return runs;
  }
  std::uint64_t logical = 0;
  for (int i = 0; i < EXT2_N_BLOCKS; ++i) {
    const int level = std::max(0, i - EXT2_NDIR_BLOCKS + 1);
    TRY(walk_map(of, whole.small()->i_block[i], level, logical, runs));
  }
  return runs;
}

Result<std::string> Ext4Reader::link_text(const Ext4Inode& link) {
  WholeInode whole(EXT2_INODE_SIZE(fs_->super));
  const errcode_t code = ::ext2fs_read_inode(fs_, link.number, whole.small());
  if (code != 0) return failed(code, fmt::format("inode {}", link.number));
  if (link.size == 0 || link.size > kMaxLinkBytes) {
    return error(Errc::corrupt, "ext4: inode {}: a link text of {} bytes", link.number, link.size);
  }
  std::string text(link.size, '\0');
  if (::ext2fs_is_fast_symlink(whole.small()) != 0) {
    std::copy_n(reinterpret_cast<const char*>(whole.small()->i_block),
                std::min(text.size(), sizeof whole.small()->i_block), text.begin());
  } else {
    for (const Ext4Run& run : TRY(runs(link))) {
      TRY(disk_.read(run.disk_offset, std::as_writable_bytes(std::span(text)).subspan(run.offset, run.bytes)));
    }
  }
  if (text.find('\0') != std::string::npos) return error(Errc::corrupt, "ext4: inode {}: its link text", link.number);
  return text;
}

Result<std::map<std::string, std::string>> Ext4Reader::attributes(const Ext4Inode& of) {
  using Found = std::map<std::string, std::string>;
  ext2_xattr_handle* raw = nullptr;
  errcode_t code = ::ext2fs_xattrs_open(fs_, of.number, &raw);
  if (code != 0) return failed(code, fmt::format("attributes of inode {}", of.number));
  const auto close = [](ext2_xattr_handle* h) { (void)::ext2fs_xattrs_close(&h); };
  const std::unique_ptr<ext2_xattr_handle, decltype(close)> handle(raw, close);
  Found found;
  const auto take = [](char* name, char* value, std::size_t size, void* to) {
    if (is_layer_xattr(name)) (*static_cast<Found*>(to))[name] = std::string(value == nullptr ? "" : value, size);
    return 0;
  };
  code = ::ext2fs_xattrs_read(raw);
  if (code == 0) code = ::ext2fs_xattrs_iterate(raw, take, &found);
  if (code != 0) return failed(code, fmt::format("attributes of inode {}", of.number));
  for (auto& [name, value] : found) {
    if (name.starts_with("system.posix_acl_"))
      value = TRY(acl_from_disk(value).context("inode {}: {}", of.number, name));
  }
  return found;
}

Result<> Ext4Reader::list(const Ext4Inode& directory, const Visit& visit) {
  if (directory.size > kMaxDirectoryBytes) {
    return error(Errc::corrupt, "ext4: inode {}: a directory of {} bytes", directory.number, directory.size);
  }
  std::vector<std::byte> block(block_bytes_);
  for (const Ext4Run& run : TRY(runs(directory))) {
    for (std::uint64_t done = 0; done < run.bytes; done += block_bytes_) {
      TRY(step());
      const std::uint64_t number = (run.disk_offset + done) / block_bytes_;
      const errcode_t code = ::ext2fs_read_dir_block4(fs_, number, block.data(), 0, directory.number);
      if (code != 0) return failed(code, fmt::format("directory of inode {}", directory.number));
      TRY(visit_names(block, directory.number, visit));
    }
  }
  return {};
}

Result<std::optional<std::uint32_t>> Ext4Reader::find(std::uint32_t directory, std::string_view name) {
  const Ext4Inode where = TRY(inode(directory));
  std::optional<std::uint32_t> found;
  if (!S_ISDIR(where.mode)) return found;
  TRY(list(where, [&](std::string_view n, std::uint32_t number) -> Result<> {
    if (n == name) found = number;
    return {};
  }));
  return found;
}

}  // namespace kiln::image
