"""Uses a running server with OpenAI's own client, unchanged.

    pip install openai
    python3 Tests/Clients/openai_client.py http://127.0.0.1:7860 [expected.wav]

With a file it has to be what `tortoise-infer "Number five." VOICE --seed 3 --max-ar-steps 30 -o expected.wav` wrote for the
server's first voice.
"""

import io
import sys
import wave

import openai


def main():
    address, expected = sys.argv[1].rstrip("/"), sys.argv[2:3]
    client = openai.OpenAI(base_url=address + "/v1", api_key="whatever", max_retries=2)
    names = [model.id for model in client.models.list()]
    assert "tortoise" in names, names
    assert client.models.retrieve("tts-1").id == "tts-1"
    extra = {"seed": 3, "max_ar_steps": 30}

    speech = client.audio.speech.create(
        model="tts-1", voice="alloy", input="Number five.", response_format="wav", extra_body=extra)
    whole = speech.read()
    with wave.open(io.BytesIO(whole)) as file:
        assert file.getframerate() == 24000 and file.getnframes() > 2400
    if expected:
        assert whole == open(expected[0], "rb").read(), "not the command line's bytes"
        print("the same bytes as the command line")

    # What its documentation shows: MP3 by default, written to a file.
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="coral", input="Number five.", instructions="Cheerfully.", extra_body=extra
    ) as response:
        assert response.headers["content-type"] in ("audio/mpeg", "audio/wav"), response.headers
        assert len(b"".join(response.iter_bytes())) > 500

    pieces = []
    with client.audio.speech.with_streaming_response.create(
        model="tts-1-hd", voice="alloy", input="Number five.\nAnd six.", response_format="pcm",
        extra_body={**extra, "stream": True}
    ) as response:
        pieces = [piece for piece in response.iter_bytes(1024)]
    assert len(pieces) > 1

    events = []
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input="Number five.", stream_format="sse", response_format="pcm",
        extra_body=extra
    ) as response:
        events = [line for line in response.iter_lines() if line.startswith("data: ")]
    assert "speech.audio.delta" in "".join(events) and "speech.audio.done" in events[-1]

    for fields, error in [
        ({"voice": "nobody-of-this-name"}, openai.NotFoundError), ({"model": "gpt-9"}, openai.NotFoundError),
        ({"speed": 9.0}, openai.BadRequestError), ({"input": ""}, openai.BadRequestError),
        ({"extra_body": {"top_kk": 1}}, openai.BadRequestError),
    ]:
        try:
            client.audio.speech.create(**{"model": "tts-1", "voice": "alloy", "input": "a", **fields})
        except error as refusal:
            assert refusal.body["message"], refusal
        else:
            raise AssertionError(f"{fields} was not refused")
    print("OpenAI's client works")


if __name__ == "__main__":
    main()
