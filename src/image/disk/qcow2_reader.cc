#include "image/disk/qcow2_reader.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstddef>
#include <list>

#include "base/text.h"
#include "image/disk/qcow2_format.h"

namespace kiln::image {

namespace {

using Bytes = std::vector<std::byte>;

constexpr std::size_t kVersion2Bytes = 72, kVersion3Bytes = 104;
constexpr std::uint32_t kMinClusterBits = 9, kMaxClusterBits = 21;
constexpr std::uint64_t kMaxL1Bytes = std::uint64_t{32} << 20;  // QEMU's limit too
constexpr std::uint64_t kOffsetMask = 0x00fffffffffffe00;       // of L1 entries and of standard L2 entries
constexpr std::uint64_t kZero = 1;                              // of a standard L2 entry, version 3
constexpr std::uint64_t kL1Reserved = 0x7f000000000001ff, kL2Reserved = 0x3f000000000001fe;
constexpr std::uint64_t kCacheBytes = std::uint64_t{8} << 20;
constexpr int kZstdWindowLog = 23;  // more than a cluster ever needs

enum Incompatible : std::uint64_t {
  kDirty = 1,
  kCorrupt = 2,
  kExternalData = 4,
  kOtherCompression = 8,
  kExtendedL2 = 16,
};

/// The clusters used last, by number.
class Recent {
 public:
  explicit Recent(std::size_t room) : room_(room) {}
  const Bytes* find(std::uint64_t number) {
    const auto at = std::find_if(kept_.begin(), kept_.end(), [&](const auto& k) { return k.first == number; });
    if (at == kept_.end()) return nullptr;
    kept_.splice(kept_.begin(), kept_, at);
    return &at->second;
  }
  const Bytes* keep(std::uint64_t number, Bytes bytes) {
    if (kept_.size() >= room_) kept_.pop_back();
    kept_.emplace_front(number, std::move(bytes));
    return &kept_.front().second;
  }

 private:
  std::size_t room_;
  std::list<std::pair<std::uint64_t, Bytes>> kept_;
};

Error damaged(std::string what) {
  return Error(Errc::corrupt, std::move(what) + ": the file is cut off or damaged; qemu-img check tells more");
}

Result<> inflate_cluster(std::span<const std::byte> packed, std::span<std::byte> out) {
  z_stream stream{};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) return error(Errc::io, "zlib: no memory");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));  // C interface, only read
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int state = ::inflate(&stream, Z_FINISH);
  const bool is_whole = stream.avail_out == 0 && (state == Z_STREAM_END || state == Z_BUF_ERROR || state == Z_OK);
  ::inflateEnd(&stream);
  return is_whole ? Result<>() : damaged("its zlib data does not unpack to a cluster");
}

Result<> unzstd_cluster(std::span<const std::byte> packed, std::span<std::byte> out) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (context == nullptr) return error(Errc::io, "zstd: no memory");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLog);
  ZSTD_inBuffer from{packed.data(), packed.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  while (to.pos < to.size) {
    const std::size_t before = to.pos + from.pos;
    const std::size_t state = ZSTD_decompressStream(context.get(), &to, &from);
    if (ZSTD_isError(state) != 0 || to.pos + from.pos == before) {
      return damaged("its zstd data does not unpack to a cluster");
    }
  }
  return {};
}

struct Facts {
  std::uint64_t disk_bytes = 0;
  std::uint32_t version = 3, cluster_bits = 0;
  qcow2::Compression compression = qcow2::Compression::deflate;
};

class Qcow2Reader : public BlockReader {
 public:
  Qcow2Reader(Fd file, std::uint64_t file_bytes, const Facts& facts, std::vector<be64> l1)
      : file_(std::move(file)),
        file_bytes_(file_bytes),
        facts_(facts),
        l1_(std::move(l1)),
        tables_(cache_room(facts)),
        unpacked_(cache_room(facts)) {}
  std::uint64_t bytes() const override { return facts_.disk_bytes; }

 private:
  static std::size_t cache_room(const Facts& facts) {
    return std::clamp<std::size_t>(kCacheBytes >> facts.cluster_bits, 2, 128);
  }
  std::uint64_t cluster() const { return std::uint64_t{1} << facts_.cluster_bits; }

  Result<> fill(std::uint64_t offset, std::span<std::byte> out) override {
    while (!out.empty()) {
      const std::uint64_t inside = offset & (cluster() - 1);
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), cluster() - inside));
      TRY(fill_part(offset >> facts_.cluster_bits, inside, out.first(n)).context("qcow2: disk offset {}", offset));
      out = out.subspan(n);
      offset += n;
    }
    return {};
  }

  /// A piece of one cluster.
  Result<> fill_part(std::uint64_t number, std::uint64_t inside, std::span<std::byte> out) {
    const std::uint64_t entry = TRY(entry_of(number));
    if ((entry & qcow2::kCompressed) != 0) {
      const Bytes* const whole = TRY(unpacked(entry));
      std::copy_n(whole->data() + inside, out.size(), out.data());
      return {};
    }
    if ((entry & kL2Reserved) != 0) return damaged(fmt::format("table entry {:#x} has unknown bits", entry));
    const std::uint64_t place = entry & kOffsetMask;
    const bool is_zero = (entry & kZero) != 0;
    if (is_zero && facts_.version < 3) return damaged(fmt::format("table entry {:#x} has unknown bits", entry));
    if (place % cluster() != 0) return damaged(fmt::format("a cluster stands at {:#x}, which is no cluster", place));
    if (is_zero || place == 0) {
      std::fill(out.begin(), out.end(), std::byte{0});
      return {};
    }
    return read_file_at(place + inside, out);
  }

  Result<std::uint64_t> entry_of(std::uint64_t number) {
    const unsigned table_bits = facts_.cluster_bits - 3;
    const std::uint64_t index = number >> table_bits;
    if (index >= l1_.size()) return damaged("its first table is too short");
    const std::uint64_t l1 = l1_[index];
    if ((l1 & kL1Reserved) != 0) return damaged(fmt::format("entry {} of its first table has unknown bits", index));
    const std::uint64_t place = l1 & kOffsetMask;
    if (place == 0) return std::uint64_t{0};
    if (place % cluster() != 0) return damaged(fmt::format("a table stands at {:#x}, which is no cluster", place));
    const Bytes* table = tables_.find(place);
    if (table == nullptr) {
      Bytes read(cluster());
      TRY(read_file_at(place, read));
      table = tables_.keep(place, std::move(read));
    }
    be64 entry;
    const std::size_t at = (number & ((std::uint64_t{1} << table_bits) - 1)) * sizeof entry;
    std::copy_n(table->data() + at, sizeof entry, reinterpret_cast<std::byte*>(&entry));
    return std::uint64_t{entry};
  }

  /// A compressed cluster: the entry has the place in bytes, and how many 512-byte sectors follow its first one.
  Result<const Bytes*> unpacked(std::uint64_t entry) {
    if (const Bytes* known = unpacked_.find(entry)) return known;
    const unsigned shift = 62 - (facts_.cluster_bits - 8);
    const std::uint64_t place = entry & ((std::uint64_t{1} << shift) - 1);
    const std::uint64_t sectors = ((entry & (qcow2::kCompressed - 1)) >> shift) + 1;
    if (place >= file_bytes_) return damaged(fmt::format("a compressed cluster stands at {:#x}", place));
    Bytes packed(std::min(sectors * 512 - place % 512, file_bytes_ - place));
    TRY(read_file_at(place, packed));
    Bytes plain(cluster());
    TRY((facts_.compression == qcow2::Compression::zstd ? unzstd_cluster : inflate_cluster)(packed, plain)
            .context("the compressed cluster at {:#x} of the file", place));
    return unpacked_.keep(entry, std::move(plain));
  }

  Result<> read_file_at(std::uint64_t place, std::span<std::byte> out) {
    const bool is_inside = place <= file_bytes_ && out.size() <= file_bytes_ - place;
    if (is_inside && TRY(pread_full(file_.get(), out, place)) == out.size()) return {};
    return damaged(
        fmt::format("{} bytes at {:#x} of the file are wanted, and it ends at {:#x}", out.size(), place, file_bytes_));
  }

  Fd file_;
  std::uint64_t file_bytes_;
  Facts facts_;
  std::vector<be64> l1_;
  Recent tables_, unpacked_;
};

Error refused(std::string what, std::string_view remedy) {
  return error(Errc::bad_template, "qcow2: {}, not supported yet: {}", what, remedy);
}

/// The name of the backing file, for the message that refuses it.
Result<std::string> backing_name(int file, const qcow2::Header& header) {
  constexpr std::uint32_t kMaxName = 1023;
  std::string name(std::min<std::uint32_t>(header.backing_bytes, kMaxName), '\0');
  name.resize(TRY(pread_full(file, std::as_writable_bytes(std::span(name)), header.backing_offset)));
  return visible(name);
}

/// What makes the file more than a disk of its own.
Result<> check_alone(int file, const qcow2::Header& header, std::uint64_t incompatible) {
  constexpr std::string_view kWhole = "make it whole first: qemu-img convert -O qcow2 FILE NEW.qcow2";
  if (header.backing_offset != 0) {
    return refused(fmt::format("it has the backing file '{}'", TRY(backing_name(file, header))), kWhole);
  }
  if (header.encryption != 0) return refused("it is encrypted", "decrypt it first with qemu-img convert");
  if ((incompatible & kExternalData) != 0) return refused("its data is in another file", kWhole);
  if ((incompatible & kExtendedL2) != 0) return refused("it has subclusters (extended_l2)", kWhole);
  constexpr std::string_view kRepair = "repair it first: qemu-img check -r all FILE";
  if ((incompatible & kCorrupt) != 0) return error(Errc::corrupt, "qcow2: marked as corrupt: {}", kRepair);
  if ((incompatible & kDirty) != 0) return error(Errc::corrupt, "qcow2: it was not closed: {}", kRepair);
  const std::uint64_t unknown = incompatible & ~std::uint64_t{kOtherCompression};
  if (unknown != 0) return refused(fmt::format("it needs features {:#x}", unknown), kWhole);
  return {};
}

Result<qcow2::Compression> compression_named(const qcow2::Header& header, std::uint64_t incompatible) {
  const bool is_said = header.header_bytes > kVersion3Bytes && header.version >= 3;
  const std::uint8_t kind = is_said ? header.compression : 0;
  if (((incompatible & kOtherCompression) != 0) != (kind != 0)) {
    return damaged("qcow2: its header contradicts itself about compression");
  }
  if (kind > 1) return refused(fmt::format("compression {}", kind), "zlib and zstd are");
  return static_cast<qcow2::Compression>(kind);
}

Result<std::vector<be64>> read_l1(int file, std::uint64_t file_bytes, const qcow2::Header& header, const Facts& facts) {
  const std::uint64_t cluster = std::uint64_t{1} << facts.cluster_bits;
  const unsigned covered_bits = 2 * facts.cluster_bits - 3;  // of the disk by one table of the second level
  std::uint64_t entries = facts.disk_bytes >> covered_bits;
  if ((facts.disk_bytes & ((std::uint64_t{1} << covered_bits) - 1)) != 0) ++entries;
  const std::uint64_t place = header.l1_offset;
  if (entries > header.l1_entries) return damaged("qcow2: its first table is too short for the disk");
  if (entries * sizeof(be64) > kMaxL1Bytes) {
    return error(Errc::corrupt, "qcow2: a disk of {} bytes in clusters of {} is larger than QEMU allows",
                 facts.disk_bytes, cluster);
  }
  if (place % cluster != 0 || place > file_bytes || entries * sizeof(be64) > file_bytes - place) {
    return damaged(fmt::format("qcow2: its first table should stand at {:#x}", place));
  }
  std::vector<be64> l1(entries);
  const auto bytes = std::as_writable_bytes(std::span(l1));
  if (TRY(pread_full(file, bytes, place)) != bytes.size()) return damaged("qcow2: its first table");
  return l1;
}

}  // namespace

Result<std::unique_ptr<BlockReader>> open_qcow2(Fd file, std::uint64_t file_bytes) {
  qcow2::Header header;
  const auto raw = std::as_writable_bytes(std::span<qcow2::Header, 1>(&header, 1));
  const std::size_t have = TRY(pread_full(file.get(), raw, 0));
  if (have < kVersion2Bytes) return damaged("qcow2: its header");
  Facts facts{.disk_bytes = header.bytes, .version = header.version, .cluster_bits = header.cluster_bits};
  if (facts.version != 2 && facts.version != 3) {
    return refused(fmt::format("version {}", facts.version), "versions 2 and 3 are");
  }
  if (facts.version == 3 && (have < kVersion3Bytes || header.header_bytes < kVersion3Bytes)) {
    return damaged("qcow2: its header");
  }
  const std::uint64_t incompatible = facts.version == 3 ? std::uint64_t{header.incompatible} : 0;
  TRY(check_alone(file.get(), header, incompatible));
  if (facts.cluster_bits < kMinClusterBits || facts.cluster_bits > kMaxClusterBits) {
    return damaged(fmt::format("qcow2: clusters of 2^{} bytes", facts.cluster_bits));
  }
  facts.compression = TRY(compression_named(header, incompatible));
  std::vector<be64> l1 = TRY(read_l1(file.get(), file_bytes, header, facts));
  return std::unique_ptr<BlockReader>(std::make_unique<Qcow2Reader>(std::move(file), file_bytes, facts, std::move(l1)));
}

}  // namespace kiln::image
