#include "steps/libarchive.h"

#include "base/library.h"

namespace kiln::steps {

namespace {

LibArchive functions{};

Result<> find_functions() {
  const Library library = TRY(Library::load("libarchive.so.13"));
  TRY(library.find("archive_entry_free", functions.entry_free));
  TRY(library.find("archive_entry_new", functions.entry_new));
  TRY(library.find("archive_entry_set_filetype", functions.entry_set_filetype));
  TRY(library.find("archive_entry_set_pathname", functions.entry_set_pathname));
  TRY(library.find("archive_entry_set_perm", functions.entry_set_perm));
  TRY(library.find("archive_entry_set_size", functions.entry_set_size));
  TRY(library.find("archive_error_string", functions.error_string));
  TRY(library.find("archive_write_add_filter_bzip2", functions.write_add_filter_bzip2));
  TRY(library.find("archive_write_add_filter_gzip", functions.write_add_filter_gzip));
  TRY(library.find("archive_write_add_filter_lz4", functions.write_add_filter_lz4));
  TRY(library.find("archive_write_add_filter_xz", functions.write_add_filter_xz));
  TRY(library.find("archive_write_close", functions.write_close));
  TRY(library.find("archive_write_data", functions.write_data));
  TRY(library.find("archive_write_fail", functions.write_fail));
  TRY(library.find("archive_write_finish_entry", functions.write_finish_entry));
  TRY(library.find("archive_write_free", functions.write_free));
  TRY(library.find("archive_write_header", functions.write_header));
  TRY(library.find("archive_write_new", functions.write_new));
  TRY(library.find("archive_write_open2", functions.write_open2));
  TRY(library.find("archive_write_set_bytes_in_last_block", functions.write_set_bytes_in_last_block));
  TRY(library.find("archive_write_set_filter_option", functions.write_set_filter_option));
  TRY(library.find("archive_write_set_format_gnutar", functions.write_set_format_gnutar));
  TRY(library.find("archive_write_set_format_raw", functions.write_set_format_raw));
  TRY(library.find("archive_write_set_format_zip", functions.write_set_format_zip));
  TRY(library.find("archive_write_set_option", functions.write_set_option));
  return {};
}

}  // namespace

Result<> load_libarchive() {
  static const Result<> loaded = find_functions();
  return loaded;
}

const LibArchive& libarchive() {
  return functions;
}

}  // namespace kiln::steps
