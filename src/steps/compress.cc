#include "steps/compress.h"

#include <locale.h>
#include <sys/stat.h>

#include "base/text.h"
#include "steps/artifact.h"
#include "steps/bgzf.h"
#include "steps/libarchive.h"

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

enum class Encoding : std::uint8_t { plain, bgzf, gzip, xz, lz4, bzip2 };

struct EncodingNames {
  Encoding encoding;
  std::string_view suffix;  // of a plan's format
  std::string_view spoken;  // as Packer calls it
};
constexpr EncodingNames kEncodings[] = {{Encoding::bgzf, "bgzf", "bgzf"},
                                        {Encoding::gzip, "gz", "pgzip"},
                                        {Encoding::xz, "xz", "xz"},
                                        {Encoding::lz4, "lz4", "lz4"},
                                        {Encoding::bzip2, "bzip2", "bzip2"}};

struct Plan {
  std::string format, shown;
  bool tar = false, zip = false;
  Encoding encoding = Encoding::plain;
  std::string_view spoken = "no compression";
  int level = -1;  // the format's own
};

/// While it lives, this thread's text is UTF-8, whatever the machine's locale: libarchive asks for names in a zip.
class Utf8Names {
 public:
  Utf8Names() : utf8_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(::uselocale(utf8_)) {}
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;
  ~Utf8Names() {
    (void)::uselocale(before_);
    ::freelocale(utf8_);
  }

 private:
  locale_t utf8_, before_;
};

/// A libarchive writer in front of a sink. Names go in byte for byte; entries get no times and no owners.
class ArchiveSink : public Sink {
 public:
  explicit ArchiveSink(Sink& out) : out_(out) {}
  ArchiveSink(const ArchiveSink&) = delete;
  ArchiveSink& operator=(const ArchiveSink&) = delete;
  ~ArchiveSink() override {
    (void)libarchive().write_fail(to_);  // an unfinished one writes nothing more
    (void)libarchive().write_free(to_);
  }

  Result<> open(const Plan& plan) {
    TRY(check(plan.tar   ? libarchive().write_set_format_gnutar(to_)
              : plan.zip ? libarchive().write_set_format_zip(to_)
                         : libarchive().write_set_format_raw(to_)));
    TRY(add_filter(plan.encoding));
    if (plan.level >= 0 && (plan.zip || has_filter(plan.encoding)))
      TRY(check(libarchive().write_set_option(to_, nullptr, "compression-level", std::to_string(plan.level).c_str())));
    TRY(check(libarchive().write_set_bytes_in_last_block(to_, 1)));  // nothing behind the end
    return check(libarchive().write_open2(to_, this, nullptr, pass_on, nullptr, nullptr));
  }
  Result<> add(const Input& in, const std::string& name) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(libarchive().entry_new(),
                                                                         libarchive().entry_free);
    libarchive().entry_set_pathname(entry.get(), name.c_str());
    libarchive().entry_set_filetype(entry.get(), AE_IFREG);
    libarchive().entry_set_perm(entry.get(), in.mode);
    libarchive().entry_set_size(entry.get(), static_cast<la_int64_t>(in.size));
    TRY(check(libarchive().write_header(to_, entry.get())));
    FdSource source(in.fd.get());
    const std::uint64_t copied = TRY(copy_all(source, *this));
    if (copied != in.size) return error(Errc::io, "{} changed while it was read", in.path);
    return check(libarchive().write_finish_entry(to_));
  }
  Result<> finish() { return check(libarchive().write_close(to_)); }

  using Sink::write;
  /// Data of the entry that was added last.
  Result<> write(std::span<const std::byte> bytes) override {
    const la_ssize_t n = libarchive().write_data(to_, bytes.data(), bytes.size());
    return check(n < 0 ? static_cast<int>(n) : ARCHIVE_OK);
  }

 private:
  static bool has_filter(Encoding encoding) { return encoding != Encoding::plain && encoding != Encoding::bgzf; }
  Result<> add_filter(Encoding encoding) {
    if (encoding == Encoding::gzip) {
      TRY(check(libarchive().write_add_filter_gzip(to_)));
      return check(libarchive().write_set_filter_option(to_, "gzip", "timestamp", nullptr));
    }
    if (encoding == Encoding::xz) return check(libarchive().write_add_filter_xz(to_));
    if (encoding == Encoding::lz4) return check(libarchive().write_add_filter_lz4(to_));
    if (encoding == Encoding::bzip2) return check(libarchive().write_add_filter_bzip2(to_));
    return {};
  }
  static la_ssize_t pass_on(archive* /*to*/, void* self, const void* bytes, std::size_t n) {
    auto& me = *static_cast<ArchiveSink*>(self);
    if (auto done = me.out_.write({static_cast<const std::byte*>(bytes), n}); !done) {
      me.failure_ = std::move(done).error();
      return -1;
    }
    return static_cast<la_ssize_t>(n);
  }
  Result<> check(int code) {
    if (code >= ARCHIVE_WARN) return {};
    if (failure_) return *failure_;
    const char* why = libarchive().error_string(to_);
    return error(Errc::io, "{}", why == nullptr ? "libarchive gave up" : why);
  }

  Sink& out_;
  archive* to_ = libarchive().write_new();
  std::optional<Error> failure_;  // what the sink said
};

Plan plan_of(const Job& job, const plan::PostStep& what, const fs::path& output) {
  Plan plan{.format = json_string(what.options, "format"), .shown = shown_path(job, output)};
  plan.zip = plan.format == "zip";
  plan.tar = plan.format.starts_with("tar");
  for (const EncodingNames& names : kEncodings) {
    if (!plan.format.ends_with(names.suffix)) continue;
    plan.encoding = names.encoding;
    plan.spoken = names.spoken;
  }
  plan.level = what.options.value("level", -1);
  return plan;
}

/// What Packer says of it.
void announce(const Job& job, const Plan& plan, const std::vector<std::string>& files) {
  const bool alone = plan.encoding == Encoding::xz || plan.encoding == Encoding::bzip2;
  if (plan.encoding != Encoding::plain)
    job.line(fmt::format("Using {} compression with 1 core for {}{}", plan.spoken, plan.shown,
                         alone ? " (library does not support MT)" : ""));
  if (plan.zip) job.line("Zipping " + plan.shown);
  if (plan.tar) job.line(fmt::format("Tarring {} with {}", plan.shown, plan.spoken));
  if (!plan.tar && !plan.zip) job.line(fmt::format("Archiving {} with {}", files.front(), plan.spoken));
}

Result<> write_archive(const Plan& plan, const std::vector<std::string>& files, Sink& out) {
  TRY(load_libarchive());
  const Utf8Names names;
  std::optional<BgzfSink> bgzf;
  if (plan.encoding == Encoding::bgzf) bgzf.emplace(out, plan.level);
  ArchiveSink archive(bgzf ? *bgzf : out);
  TRY(archive.open(plan));
  for (const std::string& file : files) {
    const Input in = TRY(open_input(file));
    TRY(archive.add(in, plan.zip ? file : fs::path(file).filename().native()));  // as Packer names them
  }
  TRY(archive.finish());
  return bgzf ? bgzf->finish() : Result<>();
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
