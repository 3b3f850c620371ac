#include "cloud/curl.h"

#include "base/library.h"

namespace kiln::cloud {

namespace {

Curl functions{};

Result<> find_functions() {
  const Library library = TRY(Library::load("libcurl.so.4"));
  TRY(library.find("curl_easy_cleanup", functions.easy_cleanup));
  TRY(library.find("curl_easy_getinfo", functions.easy_getinfo));
  TRY(library.find("curl_easy_init", functions.easy_init));
  TRY(library.find("curl_easy_setopt", functions.easy_setopt));
  TRY(library.find("curl_easy_strerror", functions.easy_strerror));
  TRY(library.find("curl_free", functions.free));
  TRY(library.find("curl_global_init", functions.global_init));
  TRY(library.find("curl_multi_add_handle", functions.multi_add_handle));
  TRY(library.find("curl_multi_cleanup", functions.multi_cleanup));
  TRY(library.find("curl_multi_info_read", functions.multi_info_read));
  TRY(library.find("curl_multi_init", functions.multi_init));
  TRY(library.find("curl_multi_perform", functions.multi_perform));
  TRY(library.find("curl_multi_poll", functions.multi_poll));
  TRY(library.find("curl_multi_remove_handle", functions.multi_remove_handle));
  TRY(library.find("curl_slist_append", functions.slist_append));
  TRY(library.find("curl_slist_free_all", functions.slist_free_all));
  TRY(library.find("curl_url", functions.url));
  TRY(library.find("curl_url_cleanup", functions.url_cleanup));
  TRY(library.find("curl_url_get", functions.url_get));
  TRY(library.find("curl_url_set", functions.url_set));
  TRY(library.find("curl_url_strerror", functions.url_strerror));
  const CURLcode started = functions.global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) return error(Errc::io, "libcurl: {}", functions.easy_strerror(started));
  return {};
}

}  // namespace

Result<> load_curl() {
  static const Result<> loaded = find_functions();
  return loaded;
}

const Curl& curl() {
  return functions;
}

}  // namespace kiln::cloud
