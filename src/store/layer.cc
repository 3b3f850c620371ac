// Layers: a directory layers/HEX with the tree and its metadata, renamed into place whole.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/space.h"
#include "store/state.h"

namespace kiln::store {

std::string layer_dir(const std::string& hex) {
  return "layers/" + hex;
}
std::string layer_meta(const std::string& hex) {
  return "layers/" + hex + "/meta.json";
}

namespace {

Json meta_of(const Layer& layer, std::string_view label) {
  return Json{{"entries", layer.entries},
              {"foreign", layer.foreign},
              {"label", std::string(label)},
              {"tar_bytes", layer.tar_bytes}};
}

/// Makes stage a complete layer directory; on failure tree is where it was.
Result<> stage_layer(Entries& entries, const fs::path& tree, const fs::path& stage, const Json& meta) {
  if (::mkdir(stage.c_str(), 0700) != 0) return sys_error("make directory {}", stage);
  if (::rename(tree.c_str(), (stage / "tree").c_str()) != 0) return sys_error("rename {}", tree);
  const auto write_meta = [&]() -> Result<> {
    const Fd fd(::open((stage / "meta.json").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) return sys_error("create {}/meta.json", stage);
    return write_full(fd.get(), entries.seal(meta)).context("writing {}/meta.json", stage);  // sealed after the tree
  };
  Result<> written = write_meta();
  if (!written) (void)::rename((stage / "tree").c_str(), tree.c_str());
  return written;
}

}  // namespace

Result<std::optional<Layer>> Store::State::peek_layer(const Digest& id, Touch touch) {
  auto entry = TRY(entries.read(layer_meta(id.hex()), touch));
  if (!entry) return std::optional<Layer>();
  const auto foreign = entry->value.find("foreign");
  Layer layer{id, home.root / layer_dir(id.hex()) / "tree", json_uint(entry->value, "tar_bytes"),
              json_uint(entry->value, "entries"), foreign != entry->value.end() && *foreign == Json(true)};
  return std::optional<Layer>(std::move(layer));
}

Result<std::optional<Layer>> Store::find_layer(const Digest& id) {
  TRY(lease(id));
  return state_->peek_layer(id, Touch::yes);
}

Result<Layer> Store::add_layer(const fs::path& tree, const Layer& described, std::string_view label) {
  const auto add = [&]() -> Result<Layer> {
    if (auto old = TRY(find_layer(described.id))) {
      TRY(remove_tree(tree));
      return std::move(*old);
    }
    const fs::path stage = TRY(state_->entries.fresh_path());
    Result<> staged = stage_layer(state_->entries, tree, stage, meta_of(described, label));
    while (staged) {
      staged = state_->entries.move_in(stage, layer_dir(described.id.hex()), RENAME_NOREPLACE);
      auto there = TRY(state_->peek_layer(described.id));
      if (there) {
        if (!staged) TRY(remove_tree(stage));  // another process was faster
        return std::move(*there);
      }
      if (staged) return error(Errc::io, "{} is gone after writing", layer_dir(described.id.hex()));
      if (!TRY(state_->entries.discard(layer_dir(described.id.hex())))) break;
      staged = {};  // what was there dated from before a power cut: try again
    }
    (void)remove_tree(stage);
    return std::move(staged).error();
  };
  return with_space(add(), state_->home.root).context("adding layer {}", described.id.brief());
}

}  // namespace kiln::store
