// ext4's structs as they stand on disk, and the numbers that belong to them. Only what kiln writes. Private to the
// room. Format: "ext4 Data Structures and Algorithms" of the Linux kernel's documentation; docs/formats/ext4.md.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/endian.h"
#include "image/disk/ext4.h"

namespace kiln::image::ext4 {

inline constexpr std::uint64_t kBlockBytes = kExt4BlockBytes;
inline constexpr std::uint32_t kGroupBlocks = 8 * kBlockBytes;  // one block of bitmap
inline constexpr std::uint32_t kInodeBytes = 256, kInodesPerBlock = kBlockBytes / kInodeBytes;
inline constexpr std::uint32_t kMaxGroupInodes = 8 * kBlockBytes;
inline constexpr std::uint32_t kDescriptorsPerBlock = kBlockBytes / 64;
inline constexpr std::uint32_t kFlexGroups = 16;  // block groups whose bitmaps and tables stand together
inline constexpr std::uint32_t kMaxLinks = 65000, kMaxName = 255, kMaxLinkText = 4095;
inline constexpr std::uint64_t kMaxFileBlocks = 0xFFFFFFFF;

// Inode numbers.
inline constexpr std::uint32_t kRootInode = 2, kResizeInode = 7, kJournalInode = 8, kFirstInode = 11;
inline constexpr std::string_view kLostAndFound = "lost+found";  // the directory of inode 11

// The feature set, by name. GRUB 2.06 reads all of it.
inline constexpr std::uint32_t kCompatible = 0x0004    // has_journal
                                             | 0x0008  // ext_attr
                                             | 0x0010  // resize_inode
                                             | 0x0020  // dir_index
    ;
inline constexpr std::uint32_t kIncompatible = 0x0002    // filetype
                                               | 0x0040  // extent
                                               | 0x0080  // 64bit
                                               | 0x0200  // flex_bg
    ;
inline constexpr std::uint32_t kReadOnlyCompatible = 0x0001    // sparse_super
                                                     | 0x0002  // large_file
                                                     | 0x0008  // huge_file
                                                     | 0x0020  // dir_nlink
                                                     | 0x0040  // extra_isize
                                                     | 0x0400  // metadata_csum
    ;

struct Superblock {
  le32 inodes, blocks_lo, reserved_blocks_lo, free_blocks_lo, free_inodes, first_data_block;
  le32 log_block_size, log_cluster_size, blocks_per_group, clusters_per_group, inodes_per_group;
  le32 mount_time, write_time;
  le16 mounts, max_mounts, magic, state, errors, minor_revision;
  le32 last_check, check_interval, creator, revision;
  le16 reserved_uid, reserved_gid;
  le32 first_inode;
  le16 inode_bytes, group;
  le32 compatible, incompatible, read_only_compatible;
  std::array<std::uint8_t, 16> uuid;
  char label[16], last_mounted[64];
  le32 compression;
  std::uint8_t prealloc_blocks, prealloc_dir_blocks;
  le16 reserved_gdt_blocks;
  std::array<std::uint8_t, 16> journal_uuid;
  le32 journal_inode, journal_device, last_orphan;
  std::array<std::uint8_t, 16> hash_seed;
  std::uint8_t hash_version, journal_backup_type;
  le16 descriptor_bytes;
  le32 mount_options, first_meta_group, made_time;
  std::array<std::uint8_t, 60> journal_block_map;
  le32 journal_size_hi, journal_size_lo;
  le32 blocks_hi, reserved_blocks_hi, free_blocks_hi;
  le16 min_extra_bytes, want_extra_bytes;
  le32 flags;
  le16 raid_stride, mmp_interval;
  le64 mmp_block;
  le32 raid_stripe;
  std::uint8_t log_groups_per_flex, checksum_type;
  le16 padding;
  std::uint8_t unused1[0xFC];
  std::uint8_t write_time_hi, mount_time_hi, made_time_hi, last_check_hi;
  std::uint8_t unused2[0x184];
  le32 checksum;
};
static_assert(sizeof(Superblock) == 1024 && offsetof(Superblock, uuid) == 0x68);
static_assert(offsetof(Superblock, journal_block_map) == 0x10C && offsetof(Superblock, write_time_hi) == 0x274);

inline constexpr std::uint16_t kSuperMagic = 0xEF53, kClean = 1, kErrorsContinue = 1;
inline constexpr std::uint8_t kHashHalfMd4 = 1, kChecksumCrc32c = 1, kJournalBackupBlocks = 1;
inline constexpr std::uint32_t kSignedHash = 1, kUserAttributesAndAcl = 0x0C;

struct GroupDescriptor {
  le32 block_bitmap_lo, inode_bitmap_lo, inode_table_lo;
  le16 free_blocks_lo, free_inodes_lo, directories_lo, flags;
  le32 exclude_lo;
  le16 block_bitmap_csum_lo, inode_bitmap_csum_lo, unused_inodes_lo, checksum;
  le32 block_bitmap_hi, inode_bitmap_hi, inode_table_hi;
  le16 free_blocks_hi, free_inodes_hi, directories_hi, unused_inodes_hi;
  le32 exclude_hi;
  le16 block_bitmap_csum_hi, inode_bitmap_csum_hi;
  le32 reserved;
};
static_assert(sizeof(GroupDescriptor) == 64);

inline constexpr std::uint16_t kInodesUninit = 1, kBlocksUninit = 2, kTableZeroed = 4;

struct Inode {
  le16 mode, uid_lo;
  le32 size_lo, atime, ctime, mtime, dtime;
  le16 gid_lo, links;
  le32 sectors_lo, flags, version_lo;
  std::array<std::uint8_t, 60> block;  // extent tree, text of a short link, or device
  le32 generation, attributes_lo, size_hi, fragment;
  le16 sectors_hi, attributes_hi, uid_hi, gid_hi, checksum_lo, reserved;
  le16 extra_bytes, checksum_hi;
  le32 ctime_extra, mtime_extra, atime_extra, crtime, crtime_extra, version_hi, project;
  std::array<std::uint8_t, 96> attributes;
};
static_assert(sizeof(Inode) == kInodeBytes && offsetof(Inode, generation) == 0x64);
static_assert(offsetof(Inode, attributes) == 0xA0);

inline constexpr std::uint32_t kIndexedFlag = 0x1000, kExtentsFlag = 0x80000;
inline constexpr std::uint16_t kExtraBytes = 32;  // of the inode beyond the first 128

struct ExtentHeader {
  le16 magic, entries, max, depth;
  le32 generation;
};
struct ExtentLeaf {
  le32 logical;
  le16 blocks, start_hi;
  le32 start_lo;
};
struct ExtentIndex {
  le32 logical, child_lo;
  le16 child_hi, unused;
};
static_assert(sizeof(ExtentHeader) == 12 && sizeof(ExtentLeaf) == 12 && sizeof(ExtentIndex) == 12);

inline constexpr std::uint16_t kExtentMagic = 0xF30A;
inline constexpr std::uint32_t kMaxExtentBlocks = 32768;
inline constexpr std::uint32_t kInodeExtents = 4, kBlockExtents = (kBlockBytes - 12 - 4) / 12;

struct DirectoryEntry {  // the name follows, and padding to 4 bytes
  le32 inode;
  le16 bytes;
  std::uint8_t name_bytes, type;
};
struct DirectoryTail {
  le32 inode;
  le16 bytes;
  std::uint8_t name_bytes, type;
  le32 checksum;
};
static_assert(sizeof(DirectoryEntry) == 8 && sizeof(DirectoryTail) == 12);

inline constexpr std::uint8_t kTailType = 0xDE;

struct IndexInfo {  // of a directory's index root, after "." and ".."
  le32 zero;
  std::uint8_t hash_version, bytes, levels, flags;
};
struct IndexLimit {  // stands where the first entry has its hash
  le16 limit, count;
};
struct IndexEntry {
  le32 hash, block;
};
struct IndexTail {
  le32 zero, checksum;
};
static_assert(sizeof(IndexInfo) == 8 && sizeof(IndexEntry) == 8 && sizeof(IndexTail) == 8);

struct AttributeBlock {
  le32 magic, references, blocks, hash, checksum, unused[3];
};
struct AttributeEntry {  // the name follows, and padding to 4 bytes
  std::uint8_t name_bytes, name_index;
  le16 value_offset;
  le32 value_inode, value_bytes, hash;
};
static_assert(sizeof(AttributeBlock) == 32 && sizeof(AttributeEntry) == 16);

inline constexpr std::uint32_t kAttributeMagic = 0xEA020000;

struct JournalSuperblock {  // the first block of the journal; big-endian, as all of it
  be32 magic, block_type, block_sequence;
  be32 block_bytes, blocks, first, sequence, start, error;
  be32 compatible, incompatible, read_only_compatible;
  std::array<std::uint8_t, 16> uuid;
  be32 users;
};
static_assert(sizeof(JournalSuperblock) == 0x44);

inline constexpr std::uint32_t kJournalMagic = 0xC03B3998, kJournalSuperblockV2 = 4;

/// The low and the high half of a number that ext4 keeps in two fields.
inline std::uint32_t low(std::uint64_t n) {
  return static_cast<std::uint32_t>(n);
}
inline std::uint32_t high(std::uint64_t n) {
  return static_cast<std::uint32_t>(n >> 32);
}
inline std::uint16_t low16(std::uint32_t n) {
  return static_cast<std::uint16_t>(n);
}
inline std::uint16_t high16(std::uint32_t n) {
  return static_cast<std::uint16_t>(n >> 16);
}

inline std::uint64_t blocks_for(std::uint64_t bytes) {
  return bytes / kBlockBytes + (bytes % kBlockBytes != 0 ? 1 : 0);
}

}  // namespace kiln::image::ext4
