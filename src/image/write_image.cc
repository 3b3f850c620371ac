#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "image/image.h"
#include "image/manifest.h"
#include "image/tar_header.h"

namespace kiln::image {

namespace {

Result<> copy_blob(const ImageLayer& layer, Sink& out) {
  const Fd fd = TRY(open_read(layer.path));
  const struct stat st = TRY(stat_of(fd.get()));
  if (static_cast<std::uint64_t>(st.st_size) != layer.bytes) {
    return error(Errc::corrupt, "{}: {} bytes, expected {}", layer.path, st.st_size, layer.bytes);
  }
  std::vector<std::byte> buffer(1 << 20);
  for (std::uint64_t left = layer.bytes; left > 0;) {
    const std::size_t n = TRY(read_full(fd.get(), buffer).context("reading {}", layer.path));
    if (n == 0) return error(Errc::corrupt, "{}: became shorter while it was read", layer.path);
    TRY(out.write(std::span<const std::byte>(buffer.data(), n)));
    left -= n;
  }
  return {};
}

/// The layers without those that stand there before.
std::vector<const ImageLayer*> distinct_layers(const ImageSpec& spec) {
  std::set<Digest> seen;
  std::vector<const ImageLayer*> layers;
  for (const ImageLayer& layer : spec.layers) {
    if (seen.insert(layer.blob).second) layers.push_back(&layer);
  }
  return layers;
}

Result<> put_directory(Sink& out, const std::string& path) {
  return out.write(render_tar_header({.path = path, .type = TarType::directory, .mode = 0755}));
}

Result<> put_file(Sink& out, const std::string& path, std::string_view text) {
  TRY(out.write(render_tar_header({.path = path, .mode = 0644, .size = text.size()})));
  TRY(out.write(text));
  return out.write(std::string(tar_padding(text.size()), '\0'));
}

Result<> put_blob(Sink& out, const ImageLayer& layer) {
  TRY(out.write(render_tar_header({.path = blob_path(layer.blob), .mode = 0644, .size = layer.bytes})));
  TRY(copy_blob(layer, out));
  return out.write(std::string(tar_padding(layer.bytes), '\0'));
}

/// A blob as a file of a layout directory.
Result<> write_blob_file(const ImageLayer& layer, const fs::path& path) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd) return sys_error("create {}", path);
  FdSink sink(fd.get());
  TRY(copy_blob(layer, sink));
  if (::fsync(fd.get()) != 0) return sys_error("sync {}", path);
  return fd.close().context("close {}", path);
}

Result<> fill_layout(const ImageSpec& spec, const ImageDocuments& documents, const fs::path& dir) {
  TRY(make_dirs(dir / "blobs/sha256"));
  TRY(write_file(dir / blob_path(documents.ids.config), documents.config));
  TRY(write_file(dir / blob_path(documents.ids.manifest), documents.manifest));
  for (const ImageLayer* layer : distinct_layers(spec)) TRY(write_blob_file(*layer, dir / blob_path(layer->blob)));
  TRY(write_file(dir / "index.json", documents.index));
  return write_file(dir / "oci-layout", documents.oci_layout);
}

}  // namespace

Result<ImageIds> write_hybrid_archive(const ImageSpec& spec, Sink& out, const std::vector<Digest>& absent) {
  const ImageDocuments documents = TRY(render_documents(spec));
  TRY(put_file(out, "oci-layout", documents.oci_layout));
  TRY(put_file(out, "index.json", documents.index));
  TRY(put_file(out, "manifest.json", documents.docker_manifest));
  TRY(put_directory(out, "blobs"));
  TRY(put_directory(out, "blobs/sha256"));
  TRY(put_file(out, blob_path(documents.ids.config), documents.config));
  TRY(put_file(out, blob_path(documents.ids.manifest), documents.manifest));
  for (const ImageLayer* layer : distinct_layers(spec)) {
    if (std::find(absent.begin(), absent.end(), layer->diff_id) != absent.end()) continue;
    TRY(put_blob(out, *layer).context("writing layer {}", layer->diff_id.text()));
  }
  TRY(out.write(std::string(2 * kTarBlock, '\0')));
  return documents.ids;
}

Result<ImageIds> write_oci_layout(const ImageSpec& spec, const fs::path& dir) {
  const ImageDocuments documents = TRY(render_documents(spec));
  struct stat st {};
  if (::lstat(dir.c_str(), &st) == 0) return error(Errc::usage, "{}: exists already", dir);
  fs::path partial = dir;
  partial += ".partial";
  TRY(remove_tree(partial));
  Result<> done = fill_layout(spec, documents, partial);
  if (done && ::rename(partial.c_str(), dir.c_str()) != 0) done = sys_error("rename {}", dir);
  if (!done) (void)remove_tree(partial);
  TRY(std::move(done).context("writing OCI layout {}", dir));
  return documents.ids;
}

Result<ImageIds> image_ids(const ImageSpec& spec) {
  const ImageDocuments documents = TRY(render_documents(spec));
  return documents.ids;
}

Result<ImageTexts> image_texts(const ImageSpec& spec) {
  ImageDocuments documents = TRY(render_documents(spec));
  return ImageTexts{std::move(documents.config), std::move(documents.manifest)};
}

}  // namespace kiln::image
