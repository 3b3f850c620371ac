#include "image/gzip_sink.h"

#include <zlib.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "image/deflate_chunk.h"

namespace kiln::image {

namespace {

constexpr std::size_t kPieceBytes = 1 << 20;
// Method deflate, no flags, time 0, no extra flags, system "unknown": nothing that tells when or where it was made.
constexpr std::string_view kGzipHeader("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
constexpr std::string_view kLastBlock("\x01\0\0\xff\xff", 5);  // an empty stored block with the "last" bit

struct Slot {
  std::vector<std::byte> plain, packed;
  std::size_t plain_size = 0;
  std::uint32_t crc = 0;
  bool is_packed = false;
};

std::string little_endian(std::uint64_t value) {
  std::string text;
  for (int i = 0; i < 4; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

}  // namespace

/// A ring of chunks. Counters say how far each stage has come: produced >= claimed (compressing) and
/// produced >= hashed, written. A slot is free again once its chunk is hashed and written, so memory is bounded.
struct GzipSink::State {
  State(Sink& sink, unsigned compressors) : packed_sink(&sink), slots(2 * compressors + 4) {}

  std::mutex mutex;
  std::condition_variable moved;
  HashSink packed_sink;  // used by the writing thread, and by finish() after it ended
  Sha256 plain_hash;     // used by the hashing thread
  std::vector<Slot> slots;
  std::uint64_t produced = 0, claimed = 0, hashed = 0, written = 0, plain_bytes = 0;
  std::uint32_t crc = 0;
  bool no_more = false, stop = false;
  std::optional<Error> failure;
  std::vector<std::thread> threads;
  Slot* filling = nullptr;  // used by the producer alone, like the next
  std::size_t filled = 0;

  Slot& slot(std::uint64_t index) { return slots[index % slots.size()]; }
  /// Waits until a stage that has done `position` chunks may go on; false when there is nothing more to do.
  bool wait_for(std::unique_lock<std::mutex>& lock, const std::uint64_t& position, const std::function<bool()>& ready);
  void compress_chunks();
  void hash_chunks();
  void write_chunks();
  Result<> take_free_slot();
  void give();
  void end_threads(bool at_once);
};

bool GzipSink::State::wait_for(std::unique_lock<std::mutex>& lock, const std::uint64_t& position,
                               const std::function<bool()>& ready) {
  moved.wait(lock, [&] { return stop || (position < produced && ready()) || (no_more && position >= produced); });
  return !stop && position < produced;
}

void GzipSink::State::compress_chunks() {
  ChunkDeflater deflater;
  std::unique_lock lock(mutex);
  while (wait_for(lock, claimed, [] { return true; })) {
    Slot& mine = slot(claimed++);
    lock.unlock();
    const std::span<const std::byte> plain(mine.plain.data(), mine.plain_size);
    mine.crc = gzip_crc(plain);
    deflater.deflate(plain, mine.packed);
    lock.lock();
    mine.is_packed = true;
    moved.notify_all();
  }
}

void GzipSink::State::hash_chunks() {
  std::unique_lock lock(mutex);
  while (wait_for(lock, hashed, [] { return true; })) {
    const Slot& mine = slot(hashed);
    lock.unlock();
    plain_hash.update(std::span<const std::byte>(mine.plain.data(), mine.plain_size));
    lock.lock();
    ++hashed;
    moved.notify_all();
  }
}

void GzipSink::State::write_chunks() {
  std::unique_lock lock(mutex);
  while (wait_for(lock, written, [this] { return slot(written).is_packed; })) {
    Slot& mine = slot(written);
    lock.unlock();
    Result<> result = packed_sink.write(mine.packed);
    crc = static_cast<std::uint32_t>(::crc32_combine(crc, mine.crc, static_cast<z_off_t>(mine.plain_size)));
    plain_bytes += mine.plain_size;
    lock.lock();
    mine.is_packed = false;
    ++written;
    if (!result) {
      failure = std::move(result).error();
      stop = true;
    }
    moved.notify_all();
  }
}

Result<> GzipSink::State::take_free_slot() {
  std::unique_lock lock(mutex);
  moved.wait(lock, [&] { return stop || produced - std::min(hashed, written) < slots.size(); });
  if (failure) return *failure;
  filling = &slot(produced);
  filling->plain.resize(kPieceBytes);
  filled = 0;
  return {};
}

void GzipSink::State::give() {
  const std::lock_guard lock(mutex);
  filling->plain_size = filled;
  filling = nullptr;
  ++produced;
  moved.notify_all();
}

void GzipSink::State::end_threads(bool at_once) {
  {
    const std::lock_guard lock(mutex);
    no_more = true;
    stop = stop || at_once;
    moved.notify_all();
  }
  for (std::thread& t : threads) t.join();
  threads.clear();
}

GzipSink::GzipSink(std::unique_ptr<State> state) : state_(std::move(state)) {}

GzipSink::~GzipSink() {
  state_->end_threads(true);
}

Result<std::unique_ptr<GzipSink>> GzipSink::start(Sink& out, unsigned threads) {
  threads = std::clamp(threads, 1U, 64U);
  std::unique_ptr<GzipSink> sink(new GzipSink(std::make_unique<State>(out, threads)));
  State* const state = sink->state_.get();
  TRY(state->packed_sink.write(kGzipHeader));
  try {
    state->threads.emplace_back([state] { state->write_chunks(); });
    state->threads.emplace_back([state] { state->hash_chunks(); });
    for (unsigned i = 0; i < threads; ++i) state->threads.emplace_back([state] { state->compress_chunks(); });
  } catch (const std::system_error& e) {
    return errno_error(e.code().value(), "start a compressing thread");
  }
  return sink;
}

Result<> GzipSink::write(std::span<const std::byte> bytes) {
  State& s = *state_;
  while (!bytes.empty()) {
    if (s.filling == nullptr) TRY(s.take_free_slot());
    const std::size_t n = std::min(bytes.size(), kPieceBytes - s.filled);
    std::copy_n(bytes.data(), n, s.filling->plain.data() + s.filled);
    s.filled += n;
    bytes = bytes.subspan(n);
    if (s.filled == kPieceBytes) s.give();
  }
  return {};
}

Result<GzipFacts> GzipSink::finish() {
  State& s = *state_;
  if (s.filling != nullptr) s.give();
  s.end_threads(false);
  if (s.failure) return *s.failure;
  TRY(s.packed_sink.write(kLastBlock));
  TRY(s.packed_sink.write(little_endian(s.crc)));
  TRY(s.packed_sink.write(little_endian(s.plain_bytes)));
  GzipFacts facts;
  facts.plain = s.plain_hash.finish();
  facts.plain_bytes = s.plain_bytes;
  facts.packed_bytes = s.packed_sink.bytes();
  facts.packed = s.packed_sink.digest();
  return facts;
}

}  // namespace kiln::image
