"""The pure service: requests and times in, replies out."""

import json
from dataclasses import replace

import pytest

from minimaxfs.emulator.messages import Form, Inline, Request, Side, Slice
from minimaxfs.emulator.purposes import MIB
from minimaxfs.emulator.settings import Settings, Unlisted, Urls
from service_calls import (
    KEY,
    NOW,
    add,
    call,
    code,
    delete,
    described,
    listed,
    message,
    read,
    signed,
    store,
    upload,
)


def test_an_upload_is_in_the_next_listing() -> None:
    """A stored file is described as it came, listed at once, and its bytes are to be kept."""
    service = store()
    reply = upload(service, "voice_clone", "声 音.WAV")
    assert described(reply) | {"file_id": 0} == {
        "file_id": 0,
        "bytes": 3,
        "created_at": int(NOW),
        "filename": "声 音.WAV",
        "purpose": "voice_clone",
    }
    assert reply.stored is not None
    assert listed(call(service, "GET", "/v1/files/list?purpose=voice_clone")) == [reply.stored.file_id]


def test_names_may_repeat() -> None:
    """Two files of one name are two files."""
    service = store()
    upload(service, "voice_clone", "a.wav")
    upload(service, "voice_clone", "a.wav")
    assert len(set(listed(call(service, "GET", "/v1/files/list?purpose=voice_clone")))) == 2


@pytest.mark.parametrize(
    ("purpose", "filename", "size", "said"),
    [
        ("voice_clone", "a.txt", 3, "invalid file ext for voice_clone"),
        ("voice_clone", "wav", 3, "invalid file ext for voice_clone"),
        ("t2a_async_input", "a.mp3", 3, "invalid file ext for t2a_async_input"),
        ("vision", "a.png", 3, "invalid file purpose"),
        ("", "a.png", 3, "invalid file purpose"),
        ("t2a_async", "a.tar", 3, "invalid file purpose"),
        ("voice_clone", "a.wav", 0, "empty"),
        ("voice_clone", "a.wav", 20 * MIB + 1, "size"),
        ("video_understanding", "a.mp4", 512 * MIB + 1, "size"),
    ],
)
def test_what_a_purpose_does_not_take_is_refused(purpose: str, filename: str, size: int, said: str) -> None:
    """A wrong purpose, type or size answers 2013 and stores nothing."""
    service = store()
    reply = upload(service, purpose, filename, size)
    assert code(reply) == 2013
    assert said in str(message(reply))
    assert not service.files()


def test_video_input_is_refused_with_http_400() -> None:
    """video_generation_input uses a real HTTP status, and another shape of JSON."""
    reply = upload(store(), "video_generation_input", "a.txt")
    assert reply.status == 400
    assert isinstance(reply.body, bytes)
    assert "base_resp" not in json.loads(reply.body)
    assert code(upload(store(), "video_generation_input", "a.PNG")) == 0


@pytest.mark.parametrize("form", [None, Form({}, problem="no boundary"), Form({"purpose": "voice_clone"})])
def test_a_form_without_a_file_is_refused(form: Form | None) -> None:
    """No form, a broken one, and one without a file answer 2013."""
    assert code(call(store(), "POST", "/v1/files/upload", form=form)) == 2013


@pytest.mark.parametrize("purpose", ["t2a_async", "video_generation", "video_understanding"])
def test_unlistable_purposes_answer_as_set(purpose: str) -> None:
    """What list says of them is unknown: it may refuse, be empty, or list."""
    service = store()
    file_id = add(service, purpose)
    target = f"/v1/files/list?purpose={purpose}"
    assert code(call(service, "GET", target)) == 2013
    assert listed(call(service, "GET", "/v1/files/list")) == []
    service.settings = Settings(unlisted=Unlisted.EMPTY)
    assert listed(call(service, "GET", target)) == []
    service.settings = Settings(unlisted=Unlisted.LISTED)
    assert listed(call(service, "GET", target)) == [file_id]


def test_a_listing_without_a_purpose_has_all_that_list() -> None:
    """The vendor's own CLI lists without a purpose."""
    service = store()
    ids = [add(service, purpose) for purpose in ("voice_clone", "prompt_audio", "retrieval")]
    add(service, "video_generation")
    assert listed(call(service, "GET", "/v1/files/list")) == ids
    assert code(call(service, "GET", "/v1/files/list?purpose=nonsense")) == 2013


@pytest.mark.parametrize("purpose", ["t2a_async", "video_generation"])
def test_generated_files_tell_no_size(purpose: str) -> None:
    """`bytes` is 0 for what the store made, in every recorded answer."""
    service = store()
    target = f"/v1/files/retrieve?file_id={add(service, purpose)}"
    assert described(call(service, "GET", target))["bytes"] == 0
    service.settings = Settings(true_sizes=True)
    assert described(call(service, "GET", target))["bytes"] == 3


def test_a_retrieve_may_have_a_url_or_none_or_an_empty_one() -> None:
    """All three have been seen for uploaded files; generated ones have their own setting."""
    service = store()
    uploaded, generated = add(service), add(service, "t2a_async")
    assert signed(service, uploaded).startswith("http://127.0.0.1:9/")
    service.settings = Settings(uploaded_urls=Urls.EMPTY)
    assert signed(service, uploaded) == ""
    service.settings = Settings(uploaded_urls=Urls.ABSENT)
    assert "download_url" not in described(call(service, "GET", f"/v1/files/retrieve?file_id={uploaded}"))
    assert signed(service, generated)


@pytest.mark.parametrize("target", ["retrieve", "retrieve_content"])
@pytest.mark.parametrize("file_id", ["", "x", "-1", "1.5", "12345", "٣"])
def test_an_unknown_id_is_an_invalid_parameter(target: str, file_id: str) -> None:
    """No such file is HTTP 200 with code 2013, as is an id that is none."""
    assert code(call(store(), "GET", f"/v1/files/{target}?file_id={file_id}")) == 2013


def test_legacy_and_gateway_queries_are_let_by() -> None:
    """GroupId and model go with a request without a meaning."""
    service = store()
    target = f"/v1/files/retrieve?model=minimax-files-retrieve&file_id={add(service)}&GroupId=1"
    assert code(call(service, "GET", target)) == 0


def test_content_comes_whole_or_in_part() -> None:
    """retrieve_content gives the bytes; Range and Content-Length there are settings, as nobody knows."""
    service = store()
    request = Request(Side.API, "GET", f"/v1/files/retrieve_content?file_id={add(service)}", KEY)
    ranged = replace(request, headers={**KEY, "range": "bytes=1-2"})
    assert service.answer(request, NOW).body == Slice(Inline(b"abc"), 0, 3)
    part = service.answer(ranged, NOW)
    assert (part.status, part.body) == (206, Slice(Inline(b"abc"), 1, 3))
    assert ("content-range", "bytes 1-2/3") in part.headers
    service.settings = Settings(content_ranges=False, content_length=False)
    whole = service.answer(ranged, NOW)
    assert (whole.status, whole.body, whole.sized) == (200, Slice(Inline(b"abc"), 0, 3), False)


@pytest.mark.parametrize("purpose", ["voice_clone", "t2a_async", "video_generation"])
def test_a_file_is_deleted_once(purpose: str) -> None:
    """Delete needs the id alone, or with its purpose; a second one answers 2013."""
    service = store()
    for extra in ({}, {"purpose": purpose}):
        file_id = add(service, purpose)
        reply = delete(service, file_id=file_id, **extra)
        assert (code(reply), read(reply)["file_id"]) == (0, file_id)
        assert reply.deleted is not None
        assert code(delete(service, file_id=file_id, **extra)) == 2013
    assert not service.files()


def test_a_wrong_delete_deletes_nothing() -> None:
    """A string for an id, another purpose, no id, and no JSON are refused with 2013."""
    service = store()
    file_id = add(service)
    for body in (
        {"file_id": str(file_id)},
        {"file_id": True},
        {},
        {"file_id": file_id, "purpose": "prompt_audio"},
    ):
        assert code(delete(service, **body)) == 2013
    assert code(call(service, "POST", "/v1/files/delete", b"file_id=1")) == 2013
    assert code(call(service, "POST", "/v1/files/delete", b"[]")) == 2013
    assert service.file(file_id)


@pytest.mark.parametrize("purpose", ["video_understanding", "video_generation_input"])
def test_some_purposes_do_not_delete(purpose: str) -> None:
    """The store keeps files of these for 7 days, whatever one asks."""
    service = store()
    assert code(delete(service, file_id=add(service, purpose))) == 2013


def test_keys_are_asked_for() -> None:
    """No key and a wrong key answer HTTP 200 with 1004; by default any key will do."""
    service = store()
    request = Request(Side.API, "GET", "/v1/files/list")
    for header in ("", "Bearer", "Bearer ", "Basic abc"):
        assert code(service.answer(replace(request, headers={"authorization": header}), NOW)) == 1004
    assert code(service.answer(request, NOW)) == 1004
    assert code(service.answer(replace(request, headers=KEY), NOW)) == 0
    service.settings = Settings(keys=frozenset({"sk-2"}))
    assert code(service.answer(replace(request, headers=KEY), NOW)) == 1004


def test_an_unknown_path_is_404() -> None:
    """Paths, methods and prefixes that the API does not have are not found."""
    service = store()
    for method, target in (("GET", "/v1/files"), ("POST", "/v1/files/list"), ("GET", "/gw/v1/files/list")):
        assert call(service, method, target).status == 404
    service.settings = Settings(prefix="/gw")
    assert code(call(service, "GET", "/gw/v1/files/list")) == 0
    assert call(service, "GET", "/v1/files/list").status == 404


def test_a_video_task_leads_to_its_file() -> None:
    """A task is known by its video's id, which is a string there."""
    service = store()
    file_id = add(service, "video_generation")
    assert read(call(service, "GET", f"/v1/query/video_generation?task_id={file_id}"))["file_id"] == str(
        file_id
    )
    assert code(call(service, "GET", "/v1/query/video_generation?task_id=7")) == 2013


def test_a_voice_is_cloned_from_its_file() -> None:
    """Cloning wants the id of a voice_clone file."""
    service = store()
    for purpose, answer in (("voice_clone", 0), ("prompt_audio", 2013)):
        body = json.dumps({"file_id": add(service, purpose), "voice_id": "v"}).encode()
        assert code(call(service, "POST", "/v1/voice_clone", body)) == answer
    assert code(call(service, "POST", "/v1/voice_clone", b"{")) == 2013
