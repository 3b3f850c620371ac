#include "image/disk/chunk_pipe.h"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "image/deflate_chunk.h"
#include "image/disk/zstd_chunk.h"

namespace kiln::image {

namespace {

constexpr unsigned kMaxThreads = 64;
constexpr unsigned kQcow2WindowBits = 12;  // of deflated chunks: what QEMU inflates qcow2's with
constexpr std::size_t kMaxSlots = 256;     // each of them up to 192 KiB
constexpr std::size_t kSpareSlots = 32;    // enough that no writer waits for a slower one at once
constexpr std::size_t kSlotsPerThread = 8;

struct Slot {
  std::vector<std::byte> plain, deflated, zstd;
  DiskChunk chunk;
  bool is_made = false;
};

bool is_zero(std::span<const std::byte> bytes) {
  return bytes.front() == std::byte{0} && std::equal(bytes.begin() + 1, bytes.end(), bytes.begin());
}

/// A thread's work on chunks, and its memory for that.
class Maker {
 public:
  explicit Maker(const ChunkForms& forms) : forms_(forms) {}

  void make(Slot& slot) {
    DiskChunk& chunk = slot.chunk;
    slot.deflated.clear();
    slot.zstd.clear();
    chunk.plain = slot.plain;
    chunk.is_zero = is_zero(slot.plain);
    if (forms_.deflated && !chunk.is_zero) deflater_.deflate_piece(slot.plain, kQcow2WindowBits, slot.deflated);
    if (forms_.zstd && !chunk.is_zero) zstd_.compress(slot.plain, slot.zstd);
    if (forms_.crc) chunk.crc = gzip_crc(slot.plain);
    if (forms_.adler) chunk.adler = zlib_adler(slot.plain);
    chunk.deflated = slot.deflated;
    chunk.zstd = slot.zstd;
  }

 private:
  ChunkForms forms_;
  ChunkDeflater deflater_;
  ZstdChunk zstd_;
};

}  // namespace

/// A ring of chunks; given >= claimed, and each of taken, say how far the producer, the makers and the takers are.
struct ChunkPipe::State {
  State(const std::vector<Extent>& extents, unsigned makers, std::vector<Take> all)
      : places(extents),
        takers(std::move(all)),
        taken(takers.size()),
        slots(std::min(kMaxSlots, kSlotsPerThread * makers + kSpareSlots)) {}

  const std::vector<Extent>& places;
  const std::vector<Take> takers;
  mutable std::mutex mutex;
  std::condition_variable given_more, made_more, taken_more;
  std::vector<std::uint64_t> taken;
  std::vector<Slot> slots;
  std::uint64_t given = 0, claimed = 0;
  bool no_more = false, stop = false;
  std::optional<Error> failure;
  std::vector<std::thread> threads;
  // Used by the producer alone: what it fills, and the place that comes next.
  std::vector<std::byte> filling;
  std::size_t place = 0;
  std::uint64_t in_place = 0;

  Slot& slot(std::uint64_t index) { return slots[index % slots.size()]; }
  void make(Maker& maker);
  void hand_on(std::size_t taker);
  std::uint64_t next_offset();
  Result<> give();
  void end_threads(bool at_once);
};

void ChunkPipe::State::make(Maker& maker) {
  std::unique_lock lock(mutex);
  for (;;) {
    given_more.wait(lock, [this] { return stop || claimed < given || no_more; });
    if (stop || claimed == given) return;
    Slot& mine = slot(claimed++);
    lock.unlock();
    maker.make(mine);
    lock.lock();
    mine.is_made = true;
    made_more.notify_all();
  }
}

void ChunkPipe::State::hand_on(std::size_t taker) {
  std::uint64_t& done = taken[taker];
  std::unique_lock lock(mutex);
  for (;;) {
    made_more.wait(lock, [&] { return stop || (done < given ? slot(done).is_made : no_more); });
    if (stop || done == given) return;
    const DiskChunk& chunk = slot(done).chunk;
    lock.unlock();
    Result<> result = takers[taker](chunk);
    lock.lock();
    ++done;
    if (!result && !stop) {
      failure = std::move(result).error();
      stop = true;
      given_more.notify_all();
      made_more.notify_all();
    }
    taken_more.notify_one();
  }
}

std::uint64_t ChunkPipe::State::next_offset() {
  if (in_place == places[place].bytes) {
    ++place;
    in_place = 0;
  }
  const std::uint64_t offset = places[place].offset + in_place;
  in_place += kChunkBytes;
  return offset;
}

Result<> ChunkPipe::State::give() {
  const std::uint64_t offset = next_offset();
  std::unique_lock lock(mutex);
  taken_more.wait(lock,
                  [this] { return stop || given - *std::min_element(taken.begin(), taken.end()) < slots.size(); });
  if (failure) return *failure;
  Slot& next = slot(given++);
  std::swap(next.plain, filling);
  next.chunk.offset = offset;
  next.is_made = false;
  filling.clear();
  given_more.notify_one();
  return {};
}

void ChunkPipe::State::end_threads(bool at_once) {
  {
    const std::lock_guard lock(mutex);
    no_more = true;
    stop = stop || at_once;
    given_more.notify_all();
    made_more.notify_all();
  }
  for (std::thread& t : threads) t.join();
  threads.clear();
}

ChunkPipe::ChunkPipe(std::unique_ptr<State> state) : state_(std::move(state)) {}

ChunkPipe::~ChunkPipe() {
  state_->end_threads(true);
}

Result<std::unique_ptr<ChunkPipe>> ChunkPipe::start(const std::vector<Extent>& places, const ChunkForms& forms,
                                                    unsigned threads, std::vector<Take> takers) {
  assert(!takers.empty());
  threads = std::clamp(threads, 1U, kMaxThreads);
  std::unique_ptr<ChunkPipe> pipe(new ChunkPipe(std::make_unique<State>(places, threads, std::move(takers))));
  State* const state = pipe->state_.get();
  try {
    for (std::size_t i = 0; i < state->takers.size(); ++i)
      state->threads.emplace_back([state, i] { state->hand_on(i); });
    for (unsigned i = 0; i < threads; ++i)
      state->threads.emplace_back([state, maker = std::make_unique<Maker>(forms)] { state->make(*maker); });
  } catch (const std::system_error& e) {
    return errno_error(e.code().value(), "start a compressing thread");
  }
  return pipe;
}

Result<> ChunkPipe::write(std::span<const std::byte> bytes) {
  State& s = *state_;
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), kChunkBytes - s.filling.size());
    s.filling.insert(s.filling.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
    if (s.filling.size() == kChunkBytes) TRY(s.give());
  }
  return {};
}

Result<> ChunkPipe::finish() {
  State& s = *state_;
  assert(s.filling.empty());
  s.end_threads(false);
  if (s.failure) return *s.failure;
  return {};
}

std::optional<Error> ChunkPipe::failure() const {
  const std::lock_guard lock(state_->mutex);
  return state_->failure;
}

}  // namespace kiln::image
