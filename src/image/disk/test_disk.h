// Fixtures of the disk writers' tests: images made by hand, outputs that fail, foreign tools' places.
#pragma once

#include "base/text.h"
#include "image/disk/compose.h"
#include "image/test_support.h"
#include "support/tree.h"

namespace kiln::image {

/// All bytes of an image.
inline std::string poured(const BlockImage& image) {
  StringSink out;
  const Cancel cancel;
  must(image.pour(out, cancel), "pouring: ");
  return std::move(out.text);
}

/// Bytes that do not repeat and do not compress.
inline std::string noise(std::size_t bytes, std::uint64_t seed) {
  std::string text(bytes, '\0');
  for (char& c : text) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    c = static_cast<char>(seed >> 56);
  }
  return text;
}

/// A disk that is no file system: pieces of data at odd places, mostly holes.
inline Disk stand_in_disk(std::uint64_t bytes) {
  Disk disk;
  std::vector<ImagePart> parts;
  parts.push_back({0, image_from(noise(512, 1))});
  parts.push_back({1 << 20, image_from(std::string(300'000, 'x'))});
  parts.push_back({bytes / 2 + 4096, image_from(noise(200'000, 2))});
  parts.push_back({bytes - 512, image_from(noise(512, 3))});
  disk.image = compose(bytes, std::move(parts));
  return disk;
}

/// An output in memory that fails once so many bytes have come: as a full disk does.
class ScarceOutput : public DiskOutput {
 public:
  explicit ScarceOutput(std::uint64_t room = ~std::uint64_t{0}) : room_(room) {}
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override {
    if (bytes.size() > room_ - text.size()) return error(Errc::no_space, "no space left");
    text.append(as_text(bytes));
    return {};
  }
  Result<> patch(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (patches_fail) return error(Errc::io, "input/output error");
    text.replace(offset, bytes.size(), as_text(bytes));
    return {};
  }
  std::string text;
  bool patches_fail = false;

 private:
  std::uint64_t room_;
};

/// A hex dump with the zero lines left out, for golden files.
inline std::string hex_dump(std::string_view bytes, std::uint64_t offset = 0) {
  std::string dump;
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    const std::string_view line = bytes.substr(at, 16);
    if (line.find_first_not_of('\0') == std::string_view::npos) continue;
    std::string hex, text;
    for (const char c : line) {
      hex += fmt::format(" {:02x}", static_cast<unsigned char>(c));
      text += c >= ' ' && c <= '~' ? c : '.';
    }
    dump += fmt::format("{:08x} {:<48}  {}\n", offset + at, hex, text);
  }
  return dump;
}

class DiskTest : public ImageTest {
 protected:
  /// Writes a disk in a format; the path of the file.
  fs::path write(const Disk& disk, std::string_view format, unsigned threads = 2) {
    const DiskFormat* f = must(find_disk_format(format));
    fs::path path = dir.path() / fmt::format("disk{}", f->suffix);
    must(write_disk_files(disk, std::array{DiskTarget{f, path}}, {.threads = threads, .cancel = cancel}));
    return path;
  }
  static bool has_tool(const std::string& name) {
    return fs::exists("/usr/bin/" + name) || fs::exists("/usr/sbin/" + name);
  }

  static std::string why_no_mount() {
    if (::geteuid() != 0) return "mounting needs root";
    return ::access("/dev/loop-control", R_OK | W_OK) == 0 ? "" : "there is no loop device";
  }
  /// Runs a shell script where $mnt is the image's mount, in a mount namespace of its own; what it prints.
  std::string in_mount(const fs::path& image, const std::string& script, const std::string& options = "loop,ro") {
    const std::string all = "set -e; mnt=$(mktemp -d); trap 'umount $mnt && rmdir $mnt' EXIT\nmount -o " + options +
                            " " + image.string() + " $mnt\n" + script;
    return run({"unshare", "-m", "sh", "-c", all});
  }
};

}  // namespace kiln::image
