// Partition tables of disks that strangers made: GPT, MBR with logical partitions, or none. Private to the room.
// Formats: UEFI specification 2.10, chapter 5; what is read of them: docs/formats/disk-bases.md.
#pragma once

#include "image/disk/block_reader.h"
#include "image/disk/gpt.h"

namespace kiln::image {

inline constexpr std::string_view kLinuxDataType = "0fc63daf-8483-4772-8e79-3d69d8477de4";  // of GPT

struct FoundPartition {
  unsigned number = 0;  // as in /dev/sda1; 0: the whole disk
  std::uint64_t offset = 0, bytes = 0;
  std::string type;  // of GPT its UUID, of MBR "0x83"; empty: the whole disk
  std::string name;  // of GPT; ASCII, what is not becomes "?"
};

struct PartitionTable {
  std::vector<FoundPartition>
      partitions;    // by number, all of them on the disk; one of number 0 where there is no table
  std::string note;  // for people: what was damaged and could be done without
};

/// Errc::corrupt for tables that are damaged beyond their copy, partitions that do not lie on the disk, and chains of
/// logical partitions that are too long or lead elsewhere.
Result<PartitionTable> read_partition_table(BlockReader& disk);

}  // namespace kiln::image
