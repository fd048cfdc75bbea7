"""check_content: types, what is hidden from browsers, and precompressed siblings."""
import docroot
from check import STRICTER, body_is, check, expect, status_in

PRECOMPRESSED = "precompressed"
BR = "Accept-Encoding: br"
GZIP = "Accept-Encoding: gzip"
BOTH = "Accept-Encoding: gzip, deflate, br"
CODED = {"br": docroot.SCRIPT_BR, "gzip": docroot.SCRIPT_GZ, "": docroot.SCRIPT}
RUNS_IN_BROWSERS = ("html", "javascript", "svg", "xml")


# --- types ----------------------------------------------------------------------------------------

def assert_types(server, types):
    for extension, wanted in types.items():
        told = server.get(f"/m.{extension}").get("content-type").partition(";")[0].strip()
        expect(told in wanted, f".{extension}: {told or 'no type'}")


@check("Content")
def types_of_old(server):
    assert_types(server, {"html": ("text/html",), "css": ("text/css",), "txt": ("text/plain",),
                          "js": ("text/javascript", "application/javascript"),
                          "json": ("application/json",), "svg": ("image/svg+xml",)})


@check("Content", STRICTER)
def mjs_is_a_script(server):
    assert_types(server, {"mjs": ("text/javascript", "application/javascript")})


@check("Content", STRICTER)
def wasm_has_its_type(server):
    assert_types(server, {"wasm": ("application/wasm",)})


@check("Content", STRICTER)
def webmanifest_has_its_type(server):
    assert_types(server, {"webmanifest": ("application/manifest+json",)})


@check("Content", STRICTER)
def avif_webp_and_woff2_have_their_types(server):
    assert_types(server, {"avif": ("image/avif",), "webp": ("image/webp",),
                          "woff2": ("font/woff2",)})


@check("Content", STRICTER)
def source_maps_are_JSON(server):
    assert_types(server, {"map": ("application/json",)})


@check("Content", STRICTER)
def texts_have_a_charset(server):
    for name in ("m.html", "m.css", "m.txt"):
        told = server.get(f"/{name}").get("content-type")
        expect("charset=utf-8" in told.lower(), f"/{name}: {told}")


@check("Content", STRICTER)
def nosniff_is_sent(server):
    for target in ("/hello.txt", "/missing", "/dir"):
        told = server.get(target).get("x-content-type-options")
        expect(told == "nosniff", f"{target}: {told!r}")


@check("Content", STRICTER)
def every_answer_with_a_body_has_a_type(server):
    for target in ("/hello.txt", "/page", "/missing", "/bare/"):
        expect(server.get(target).get("content-type"), f"{target} has none")


@check("Content", STRICTER)
def a_guess_never_runs_in_a_browser(server):
    told = server.get("/page").get("content-type")
    expect(not any(word in told for word in RUNS_IN_BROWSERS), f"Content-Type: {told}")


# --- precompressed siblings -----------------------------------------------------------------------

def assert_coding(server, accepted, *codings, target="/site.js"):
    """The answer's coding is one of these, "" for none, and its bytes are those of that sibling."""
    answer = server.get(target, *([f"Accept-Encoding: {accepted}"] if accepted is not None else []))
    status_in(answer, 200, what=accepted)
    told = answer.get("content-encoding")
    expect(told in codings, f"{accepted}: Content-Encoding: {told!r}")
    body_is(answer, CODED[told], f"{accepted}: the body")
    return answer


@check("Content", needs=PRECOMPRESSED)
def the_br_sibling_is_served(server):
    assert_coding(server, "br", "br")


@check("Content", needs=PRECOMPRESSED)
def the_gz_sibling_is_served(server):
    assert_coding(server, "gzip", "gzip")
    assert_coding(server, "gzip, deflate", "gzip", target="/only.js")


@check("Content", STRICTER, needs=PRECOMPRESSED)
def br_goes_before_gzip(server):
    assert_coding(server, "gzip, deflate, br", "br")


@check("Content", needs=PRECOMPRESSED)
def without_Accept_Encoding_there_is_no_coding(server):
    assert_coding(server, None, "")
    assert_coding(server, "", "")


@check("Content", needs=PRECOMPRESSED)
def q_0_excludes_a_coding(server):
    for value in ("br;q=0", "br; q=0.000, gzip;q=0", "gzip;q=0, br ; Q=0.0"):
        assert_coding(server, value, "")
    assert_coding(server, "br;q=0, gzip", "gzip", "")


@check("Content", needs=PRECOMPRESSED)
def asterisk_q_0_excludes_the_rest(server):
    assert_coding(server, "identity, *;q=0", "")
    assert_coding(server, "gzip, *;q=0", "gzip")


@check("Content", STRICTER, needs=PRECOMPRESSED)
def an_asterisk_allows_a_coding(server):
    expect(server.get("/site.js", "Accept-Encoding: *").get("content-encoding"), "identity")


@check("Content", STRICTER, needs=PRECOMPRESSED)
def the_greater_q_wins(server):
    assert_coding(server, "br;q=0.5, gzip;q=1", "gzip")
    assert_coding(server, "br;q=1, gzip;q=0.5", "br")


@check("Content", needs=PRECOMPRESSED)
def identity_q_0_gets_a_coding(server):
    assert_coding(server, "gzip, identity;q=0", "gzip")
    assert_coding(server, "br, identity;q=0", "br")


@check("Content", needs=PRECOMPRESSED)
def a_coding_whose_name_only_begins_alike_is_another(server):
    assert_coding(server, "gzipped, brx", "")


@check("Content", needs=PRECOMPRESSED)
def the_type_is_that_of_the_logical_name(server):
    answer = assert_coding(server, "gzip", "gzip")
    told = answer.get("content-type")
    expect(told.startswith(("text/javascript", "application/javascript")), f"Content-Type: {told}")


def assert_vary(server, statuses, *fields):
    answer = server.get("/site.js", *fields)
    status_in(answer, *statuses, what=" and ".join(fields))
    expect("accept-encoding" in answer.get("vary").lower(),
           f"{' and '.join(fields) or 'no Accept-Encoding'}: Vary: {answer.get('vary')!r}")


@check("Content", needs=PRECOMPRESSED)
def Vary_on_200(server):
    for fields in ([BR], [GZIP], [], ["Accept-Encoding: identity"]):
        assert_vary(server, (200,), *fields)


@check("Content", needs=PRECOMPRESSED)
def Vary_on_206(server):
    """A server may ignore the range of a coding."""
    for fields in ([GZIP], []):
        assert_vary(server, (206, 200), *fields, "Range: bytes=0-9")


@check("Content", needs=PRECOMPRESSED)
def Vary_on_304(server):
    for fields in ([GZIP], []):
        tag = server.get("/site.js", *fields).tag
        assert_vary(server, (304,), *fields, f"If-None-Match: {tag}")


@check("Validators", needs=PRECOMPRESSED)
def each_coding_has_a_tag_of_its_own(server):
    tags = [assert_coding(server, value, value).tag for value in ("br", "gzip", "")]
    expect(len(set(tags)) == 3 and all(tags), f"tags {tags}")


@check("Validators", needs=PRECOMPRESSED)
def the_tag_of_a_coding_gives_304(server):
    for value in ("br", "gzip"):
        tag = assert_coding(server, value, value).tag
        answer = server.get("/site.js", f"Accept-Encoding: {value}", f"If-None-Match: {tag}")
        status_in(answer, 304, what=value)


@check("Methods", STRICTER, needs=PRECOMPRESSED)
def HEAD_tells_the_length_of_the_coding(server):
    for value in ("br", "gzip"):
        answer = server.get("/site.js", f"Accept-Encoding: {value}", method="HEAD")
        told = (answer.get("content-encoding"), answer.get("content-length"))
        expect(told == (value, str(len(CODED[value]))), f"{value}: {told}")


@check("Ranges", needs=PRECOMPRESSED)
def a_range_of_a_coding_is_of_its_bytes_or_ignored(server):
    answer = server.get("/site.js", GZIP, "Range: bytes=5-14")
    status_in(answer, 206, 200)
    coded = docroot.SCRIPT_GZ if answer.get("content-encoding") == "gzip" else docroot.SCRIPT
    body_is(answer, coded[5:15] if answer.status == 206 else coded)


@check("Ranges", STRICTER, needs=PRECOMPRESSED)
def ranges_of_a_coding_are_served(server):
    answer = server.get("/site.js", GZIP, "Range: bytes=5-14")
    status_in(answer, 206)
    body_is(answer, docroot.SCRIPT_GZ[5:15])


@check("Content", STRICTER, needs=PRECOMPRESSED)
def a_sibling_older_than_its_file_is_not_served(server):
    answer = server.get("/stale.js", BOTH)
    told = answer.get("content-encoding")
    expect(answer.body not in (docroot.OLD_BR, docroot.OLD_GZ), f"the old {told} was served")


@check("Content", STRICTER, needs=PRECOMPRESSED)
def the_index_of_a_directory_has_siblings(server):
    answer = server.get("/packed/", BOTH)
    status_in(answer, 200)
    expect(answer.body in (docroot.INDEX_BR, docroot.INDEX_GZ),
           f"Content-Encoding: {answer.get('content-encoding')!r}")
