#include "steps/compress.h"

#include <sys/stat.h>
#include <zlib.h>

#include "base/text.h"
#include "steps/artifact.h"
#include "steps/encoder.h"

namespace kiln::steps {

namespace {

struct Input {
  std::string path;
  Fd fd;
  std::uint64_t size = 0;
  mode_t mode = 0;
};

Result<Input> open_input(const std::string& path) {
  Input in{.path = path};
  in.fd = TRY(open_read(path));
  struct stat status {};
  if (::fstat(in.fd.get(), &status) < 0) return sys_error("stat {}", path);
  if (!S_ISREG(status.st_mode)) return error(Errc::usage, "{} is no regular file", path);
  in.size = static_cast<std::uint64_t>(status.st_size);
  in.mode = status.st_mode & 07777U;
  return in;
}

Result<> pour(const Input& in, Sink& out) {
  FdSource source(in.fd.get());
  const std::uint64_t copied = TRY(copy_all(source, out));
  if (copied != in.size) return error(Errc::io, "{} changed while it was read", in.path);
  return {};
}

/// Numbers as octal digits; a size beyond them in base 256, as GNU has it.
void put_number(std::span<char> field, std::uint64_t value) {
  const std::string digits = fmt::format("{:0{}o}", value, field.size() - 1);
  if (digits.size() < field.size()) {
    std::copy(digits.begin(), digits.end(), field.begin());
    return;
  }
  for (std::size_t i = field.size(); i-- > 0; value >>= 8U) field[i] = static_cast<char>(value & 0xFFU);
  field[0] = static_cast<char>(0x80);
}

/// A header of the ustar format (POSIX.1-1988): name, mode, ids, size, time, checksum, kind, magic.
Result<std::string> tar_header(const Input& in) {
  constexpr std::size_t kNameBytes = 100;
  const std::string name = fs::path(in.path).filename();
  if (name.size() > kNameBytes) return error(Errc::usage, "{}: the name is longer than {} bytes", name, kNameBytes);
  std::string header(512, '\0');
  std::copy(name.begin(), name.end(), header.begin());
  const std::span<char> bytes(header);
  put_number(bytes.subspan(100, 8), in.mode);
  put_number(bytes.subspan(108, 8), 0);
  put_number(bytes.subspan(116, 8), 0);
  put_number(bytes.subspan(124, 12), in.size);
  put_number(bytes.subspan(136, 12), 0);
  header.replace(148, 8, "        ");
  header[156] = '0';
  header.replace(257, 8,
                 std::string("ustar\0"
                             "00",
                             8));
  std::uint32_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header;
}

Result<> write_tar(const std::vector<std::string>& files, Sink& out) {
  for (const std::string& file : files) {
    const Input in = TRY(open_input(file));
    const std::string header = TRY(tar_header(in));
    TRY(out.write(header));
    TRY(pour(in, out));
    TRY(out.write(std::string((512 - in.size % 512) % 512, '\0')));
  }
  return out.write(std::string(1024, '\0'));
}

/// Passes bytes on with their count and CRC-32.
class CrcSink : public Sink {
 public:
  explicit CrcSink(Sink& out) : out_(out) {}
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override {
    crc = static_cast<std::uint32_t>(::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
    count += bytes.size();
    return out_.write(bytes);
  }
  std::uint32_t crc = 0;
  std::uint64_t count = 0;

 private:
  Sink& out_;
};

template <class T>
std::string le(T value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i)
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFFU);
  return out;
}

/// One file of a zip archive, as the directory at its end has it. Format: PKWARE's APPNOTE 6.3, sections 4.3 and 4.4.
struct ZipEntry {
  std::string name;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0, size = 0, offset = 0;
  mode_t mode = 0;
};

constexpr std::uint64_t kZipLimit = 0xFFFFFFFF;            // of sizes and offsets without the 64-bit extension
constexpr std::uint16_t kZipFlags = 1U << 3U | 1U << 11U;  // sizes behind the data; names in UTF-8
constexpr std::uint32_t kZipDay = 0x00210000;              // 1980-01-01, the first there is

std::string zip_common(const ZipEntry& e) {
  return le(20, 2) + le(kZipFlags, 2) + le(8, 2) + le(kZipDay, 4) + le(e.crc, 4) + le(e.packed, 4) + le(e.size, 4) +
         le(e.name.size(), 2) + le(0, 2);
}

std::string zip_directory(const ZipEntry& e) {
  return "PK\x01\x02" + le(3 << 8 | 20, 2) + zip_common(e) + le(0, 6) + le((0100000U | e.mode) << 16U, 4) +
         le(e.offset, 4) + e.name;
}

Result<ZipEntry> write_zip_file(const std::string& file, int level, CrcSink& out) {
  const Input in = TRY(open_input(file));
  ZipEntry entry{.name = in.path, .offset = out.count, .mode = in.mode};
  ZipEntry empty = entry;
  TRY(out.write("PK\x03\x04" + zip_common(empty) + entry.name));
  const std::uint64_t start = out.count;
  const auto encoder = make_encoder(Encoding::deflate, level, out);
  CrcSink plain(*encoder);
  TRY(pour(in, plain));
  TRY(encoder->finish());
  entry.crc = plain.crc;
  entry.size = plain.count;
  entry.packed = out.count - start;
  TRY(out.write("PK\x07\x08" + le(entry.crc, 4) + le(entry.packed, 4) + le(entry.size, 4)));
  if (entry.size >= kZipLimit || out.count >= kZipLimit)
    return error(Errc::usage, "{}: a zip archive holds less than 4 GiB; use .tar.gz", file);
  return entry;
}

Result<> write_zip(const std::vector<std::string>& files, int level, Sink& to) {
  CrcSink out(to);
  std::string directory;
  for (const std::string& file : files) directory += zip_directory(TRY(write_zip_file(file, level, out)));
  const std::uint64_t start = out.count;
  TRY(out.write(directory));
  return out.write("PK\x05\x06" + le(0, 4) + le(files.size(), 2) + le(files.size(), 2) + le(directory.size(), 4) +
                   le(start, 4) + le(0, 2));
}

struct Plan {
  std::string format, shown;
  bool tar = false, zip = false;
  Encoding encoding = Encoding::plain;
  int level = -1;
};

Plan plan_of(const Job& job, const plan::PostStep& what, const fs::path& output) {
  Plan plan{.format = json_string(what.options, "format"), .shown = shown_path(job, output)};
  plan.zip = plan.format == "zip";
  plan.tar = plan.format.starts_with("tar");
  if (plan.format.ends_with("gz")) plan.encoding = Encoding::gzip;
  if (plan.format.ends_with("xz")) plan.encoding = Encoding::xz;
  plan.level = what.options.value("level", -1);
  return plan;
}

/// What Packer says of it.
void announce(const Job& job, const Plan& plan, const std::vector<std::string>& files) {
  const bool gzip = plan.encoding == Encoding::gzip;
  if (gzip) job.line("Using pgzip compression with 1 core for " + plan.shown);
  if (plan.encoding == Encoding::xz)
    job.line(fmt::format("Using xz compression with 1 core for {} (library does not support MT)", plan.shown));
  if (plan.zip) job.line("Zipping " + plan.shown);
  const char* with = gzip ? "pgzip" : plan.encoding == Encoding::xz ? "xz" : "no compression";
  if (plan.tar) job.line(fmt::format("Tarring {} with {}", plan.shown, with));
  if (!plan.tar && !plan.zip) job.line(fmt::format("Archiving {} with {}", files.front(), with));
}

Result<> write_archive(const Plan& plan, const std::vector<std::string>& files, Sink& out) {
  if (plan.zip) return write_zip(files, plan.level, out);
  const auto encoder = make_encoder(plan.encoding, plan.level, out);
  if (plan.tar) {
    TRY(write_tar(files, *encoder));
  } else {
    const Input in = TRY(open_input(files.front()));
    TRY(pour(in, *encoder));
  }
  return encoder->finish();
}

}  // namespace

Result<event::Artifact> compress(const Job& job, const plan::PostStep& what, const event::Artifact& input) {
  const fs::path output = json_string(what.options, "output");
  const Plan plan = plan_of(job, what, output);
  if (!plan.tar && !plan.zip && input.files.size() != 1) {
    return error(Errc::usage, "Can only have 1 input file when not using tar/zip. Found {} files: [{}]",
                 input.files.size(), join(input.files, " "));
  }
  announce(job, plan, input.files);
  if (!output.parent_path().empty()) TRY(make_dirs(output.parent_path()));
  AtomicFile file = TRY(AtomicFile::create(output));
  FdSink sink(file.fd());
  TRY(write_archive(plan, input.files, sink).context("writing {}", plan.shown));
  TRY(sink.finish());
  TRY(file.commit());
  job.line(fmt::format("Archive {} completed", plan.shown));
  return event::Artifact{"packer.post-processor.compress", {}, "compressed artifacts in: " + plan.shown, {plan.shown}};
}

}  // namespace kiln::steps
