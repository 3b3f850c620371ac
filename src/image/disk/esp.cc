#include <fcntl.h>

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "image/disk/frame.h"
#include "tree/merged.h"

namespace kiln::image {

namespace {

constexpr std::string_view kRoot = "boot/efi";
constexpr std::string_view kLoader = "EFI/BOOT/BOOTX64.EFI";  // what firmware starts when nothing else is set up

/// A file's content with the descriptor that it is read from.
class FileSource : public Source {
 public:
  explicit FileSource(Fd fd) : fd_(std::move(fd)), source_(fd_.get()) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override { return source_.read(buffer); }

 private:
  Fd fd_;
  FdSource source_;
};

class EfiScan {
 public:
  explicit EfiScan(tree::Merged merged) : merged_(std::make_shared<const tree::Merged>(std::move(merged))) {}

  Result<std::vector<FatFile>> files() {
    const auto root = TRY(merged_->resolve(kRoot, false));
    if (root.found && S_ISDIR(root.found->st.st_mode)) TRY(add_children(root.found->dir, ""));
    return std::move(files_);
  }

 private:
  Result<> add_children(const tree::Merged::Dir& dir, const std::string& path) {
    for (const auto& [name, found] : TRY(merged_->list(dir))) {
      const std::string full = path.empty() ? name : fmt::format("{}/{}", path, name);
      if (S_ISDIR(found.st.st_mode)) {
        files_.push_back({full, true, 0, {}});
        TRY(add_children(found.dir, full));
      } else if (S_ISREG(found.st.st_mode)) {
        add_file(full, found);
      } else {
        return error(Errc::corrupt, "/{}/{}: a FAT file system holds files and directories only", kRoot, visible(full));
      }
    }
    return {};
  }

  void add_file(const std::string& path, const tree::Merged::Found& found) {
    const auto open = [merged = merged_, layer = found.layer,
                       at = found.dir.path]() -> Result<std::unique_ptr<Source>> {
      Fd fd = TRY(open_at(merged->layer_fd(layer), at, O_RDONLY, Resolve::no_symlinks));
      return std::make_unique<FileSource>(std::move(fd));
    };
    files_.push_back({path, false, static_cast<std::uint64_t>(found.st.st_size), open});
  }

  std::shared_ptr<const tree::Merged> merged_;
  std::vector<FatFile> files_;
};

bool same_but_for_case(std::string_view a, std::string_view b) {
  const auto fold = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return fold(x) == fold(y); });
}

}  // namespace

Result<std::vector<FatFile>> efi_files(const std::vector<fs::path>& layers) {
  auto files = TRY(EfiScan(TRY(tree::Merged::open(layers))).files());
  const auto is_loader = [](const FatFile& f) { return !f.is_dir && same_but_for_case(f.path, kLoader); };
  if (std::none_of(files.begin(), files.end(), is_loader))
    return error(Errc::not_found,
                 "/{}/{} is not in the tree, so no UEFI machine could boot it; the package {} brings it", kRoot,
                 kLoader, "grub-efi-amd64-bin");
  return files;
}

}  // namespace kiln::image
