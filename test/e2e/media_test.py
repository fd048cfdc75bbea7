"""Media: players that seek, by ranges, in a film whose index is at its end.

The film is noisy, so that a second of it is large: a seek is a request, not a skip over what has
been buffered, and each frame differs from every other.
"""

import os

import harness
from harness import equal, require, shared, test, truth
from programs import LoggedServer, content_of, run
from webdriver import Browser

SECONDS = 60
RATE = 10
PAGE = b"""<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Film</title>
<link rel="icon" href="data:,"><video src="film.mp4" preload="metadata" muted></video></html>
"""
SEEK = """
const video = document.querySelector("video");
const event = name => new Promise((done, failed) => {
    video.addEventListener(name, done, {once: true});
    video.addEventListener("error", () => failed(video.error.message), {once: true});
});
if (video.error) throw video.error.message;
if (video.readyState < 1) await event("loadedmetadata");
const pictures = [];
for (const time of [50, 5, 30, 5]) {
    const seeked = event("seeked");
    video.currentTime = time;
    await seeked;
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight).getContext("2d");
    canvas.drawImage(video, 0, 0);
    const data = canvas.getImageData(0, 0, video.videoWidth, video.videoHeight).data;
    pictures.push(data.reduce((sum, value, i) => (sum * 31 + value) % 1000003, 0));
}
return {duration: video.duration, time: video.currentTime, pictures};
"""


def start():
    require("ffmpeg")
    server = LoggedServer(harness.make_tree({"index.html": PAGE}))
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i",
        f"testsrc2=duration={SECONDS}:size=320x240:rate={RATE}", "-vf", "noise=alls=30:allf=t",
        "-c:v", "libx264", "-preset", "ultrafast", "-qp", "28", "-g", str(RATE), "-pix_fmt",
        "yuv420p", server.path("film.mp4"))
    content = content_of(server.path("film.mp4"))
    truth(0 < content.index(b"mdat") < content.index(b"moov"), "the index is not at the film's end")
    truth(len(content) > 8 << 20, f"a film of {len(content)} bytes is soon buffered")
    return server


def film():
    """Its path, its URL, and nothing in the log so far."""
    server = shared(start)
    server.entries()
    return server.path("film.mp4"), f"{server.url}/film.mp4"


def assert_ranges(requests_min, others=frozenset()):
    statuses = [entry.status for entry in shared(start).entries()
                if entry.target == "/film.mp4"]
    truth(statuses.count(206) >= requests_min and {206, *others} >= set(statuses),
          f"expected at least {requests_min} times 206, got {statuses}")


# --- ffmpeg ---------------------------------------------------------------------------------------

@test
def ffprobe_finds_the_index_at_the_end():
    path, url = film()
    show = ("-v", "error", "-show_format", "-show_streams", "-of", "default=nk=1:nw=1")
    out = run("ffprobe", *show, url).replace(url.encode(), path.encode())
    equal(out, run("ffprobe", *show, path), "what ffprobe says of the film")
    assert_ranges(2)


def frames(source, second, count):
    """The hash of each frame, decoded."""
    return run("ffmpeg", "-v", "error", "-ss", str(second), "-i", source, "-frames:v", str(count),
               "-f", "framemd5", "-")


@test
def ffmpeg_decodes_the_frames_it_seeks():
    for second in (0, 17.3, 45, SECONDS - 1):
        path, url = film()
        expected = frames(path, second, 5)
        equal(expected.count(b"\n0,"), 5, "frames")
        equal(frames(url, second, 5), expected, f"frames from {second} s on")
        assert_ranges(2)


@test
def ffmpeg_copies_the_film_whole():
    path, url = film()
    equal(run("ffmpeg", "-v", "error", "-i", url, "-c", "copy", "-f", "framemd5", "-"),
          run("ffmpeg", "-v", "error", "-i", path, "-c", "copy", "-f", "framemd5", "-"), "packets")


# --- Chromium -------------------------------------------------------------------------------------

@test
def a_video_seeks_in_chromium():
    _, url = film()
    with Browser() as browser:
        browser.visit(os.path.dirname(url) + "/")
        if not browser.run("return document.createElement('video').canPlayType(TYPE);"
                           .replace("TYPE", "'video/mp4; codecs=\"avc1.42E01E\"'")):
            raise harness.Skip("this Chromium has no decoder for H.264")
        result = browser.run(SEEK)
        equal(browser.console(), [], "console")
    truth(abs(result["duration"] - SECONDS) < 1, f"duration: {result['duration']}")
    equal(result["time"], 5, "the time after the last seek")
    first, second, third, again = result["pictures"]
    equal(len({first, second, third}), 3, "different pictures")
    equal(again, second, "the picture at the same time")
    assert_ranges(3, {304})  # its cache looks whether the film is still the same


if __name__ == "__main__":
    harness.main()
