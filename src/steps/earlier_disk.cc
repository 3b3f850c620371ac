#include "steps/earlier_disk.h"

namespace kiln::steps {

namespace {

constexpr const char* kKind = "disk-map";

std::string name_of(const fs::path& output, const std::string& origin) {
  std::error_code ec;
  return sha256(fs::absolute(output, ec).lexically_normal().native() + '\0' + origin).hex();
}

Result<std::optional<EarlierDisk>> find(store::Store& store, const std::string& name) {
  const auto record = TRY(store.read_record(kKind, name));
  if (!record) return std::optional<EarlierDisk>();
  const auto blob = TRY(store.find_blob(Digest::from_hex(json_string(*record, "map"))));
  EarlierDisk disk{.seed = Digest::from_hex(json_string(*record, "seed")), .id = json_string(*record, "id")};
  if (!blob || disk.seed.empty()) return std::optional<EarlierDisk>();
  disk.block_map = TRY(read_file(blob->path));
  return std::optional(std::move(disk));
}

}  // namespace

Result<std::optional<EarlierDisk>> earlier_disk(Context& context, const fs::path& output, const std::string& origin) {
  if (context.settings.no_earlier_disks) return std::optional<EarlierDisk>();
  if (!origin.empty()) {
    if (auto same = TRY(find(context.store, name_of(output, origin)))) {
      same->is_same = true;
      return same;
    }
  }
  return find(context.store, name_of(output, {}));
}

Result<Digest> earlier_seed(Context& context, const fs::path& output) {
  if (context.settings.no_earlier_disks) return Digest();
  const auto record = TRY(context.store.read_record(kKind, name_of(output, {})));
  return record ? Digest::from_hex(json_string(*record, "seed")) : Digest();
}

Result<> keep_disk(store::Store& store, const fs::path& output, const std::string& origin, const EarlierDisk& disk) {
  store::BlobWriter writer = TRY(store.new_blob());
  TRY(writer.write(disk.block_map));
  const store::Blob blob = TRY(store.commit(std::move(writer)));
  const Json record = {{"map", blob.digest.hex()}, {"seed", disk.seed.hex()}, {"id", disk.id}};
  TRY(store.write_record(kKind, name_of(output, origin), record));
  return store.write_record(kKind, name_of(output, {}), record);
}

}  // namespace kiln::steps
