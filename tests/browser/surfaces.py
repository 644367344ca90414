"""What every surface on a page shows of one session, read at the same instants and compared."""

from __future__ import annotations

from playwright.sync_api import Page, TimeoutError

READ = r"""id => {
    const words = (root, what) =>
        (what ? root?.querySelector(what) : root)?.textContent.replaceAll("\u00a0", " ");
    const figures = (root, state, usage, cost = usage) => root && ({
        state: words(root, state),
        ittl: words(root, "[aria-label='Interactive timeout']"),
        max: words(root, "[aria-label='Maximum time']"),
        used: /(at most )?(\d+ m )?[\d.]+ m?s/.exec(words(root, usage))?.[0],
        cost: /\$[\d.,]+/.exec(words(root, cost))?.[0],
    });
    const today = (what, at) => words(document, what)?.match(/\$[\d.,]+/g)?.at(at);
    const row = document.querySelector(`.qs-lab-panel [title="${id}"]`)?.closest("article, li");
    const open = row?.tagName === "ARTICLE";
    const popover = document.querySelector(".qs-lab-popover");
    const bar = words(document.querySelector(".qs-lab-status"));
    const found = {
        side: row && {
            ...figures(row, "[role=status]", open ? ".qs-lab-usage" : "[title]:last-child",
                open ? ".qs-lab-cost" : undefined),
            today: today(".qs-lab-totals", 1),
        },
        popover: popover && {
            ...figures(popover, ".qs-lab-state", ".qs-lab-facts"),
            today: today(".qs-lab-all", -1),
        },
        status: bar && {
            state: bar.split(" · ")[1], ittl: /ITTL (\S+)/.exec(bar)?.[1],
            max: /max (\S+)/.exec(bar)?.[1],
        },
    };
    document.querySelectorAll("section.qs-panel").forEach((panel, at) => {
        found[`panel ${at + 1}`] = figures(panel, ".qs-state", ".qs-usage .qs-usage-line");
    });
    return found;
}"""
"""Reads the figures of each surface, by its name."""

AGREE = f"""([id, wanted, surfaces, moves]) => {{
    const read = {READ};
    const seen = window.qsSeen ??= {{ since: 0, values: new Set(), apart: null }};
    const found = read(id);
    const lower = (text) => text?.toLowerCase();
    const shown = surfaces.map((name) => found[name]);
    const apart = ["state", "ittl", "max", "used", "cost", "today"].filter((name) => {{
        const values = shown.flatMap((each) => lower(each?.[name]) ?? []);
        return new Set(values).size > 1;
    }});
    const all = shown.every(Boolean) && shown.some(({{ state }}) => lower(state) === wanted);
    if (!all || apart.length) {{
        window.qsSeen = {{ since: 0, values: new Set(), apart: [apart, found] }};
        return false;
    }}
    seen.since ||= performance.now();
    seen.values.add(JSON.stringify(shown));
    return performance.now() - seen.since > 600 && seen.values.size > (moves ? 2 : 0);
}}"""
"""Whether all surfaces have shown the same, at each frame of more than half a second."""


FRAMES = f"""([id, state, surfaces, seconds]) => new Promise((done) => {{
    const read = {READ};
    const until = performance.now() + 1000 * seconds;
    const apart = [];
    let frames = 0;
    const look = () => {{
        const found = read(id);
        const shown = surfaces.map((name) => found[name]);
        // a change of state reaches one surface after the other
        if (shown.every((each) => each?.state?.toLowerCase() === state)) {{
            frames += 1;
            if (new Set(shown.map((each) => each.ittl)).size > 1) apart.push(found);
        }}
        if (performance.now() > until) done([frames, apart.length, apart[0]]);
        else requestAnimationFrame(look);
    }};
    look();
}})"""
"""How many frames surfaces show a state in, in how many of them their timeouts differ, and one."""


def timeouts_agree(page: Page, session_id: str, state: str, surfaces: list[str]) -> None:
    """Look at the interactive timeout for some seconds of a state in which jobs come and go."""
    frames, apart, one = page.evaluate(FRAMES, [session_id, state, surfaces, 6.0])
    assert frames > 30
    # in the moment between two jobs one surface may have heard of it before another
    assert apart < 0.2 * frames, (apart, frames, one)


def agree(page: Page, session_id: str, state: str, surfaces: list[str], *, moves: bool) -> None:
    """Wait until all surfaces say a state, and the same figures at every frame for a while.

    Parameters
    ----------
    page : Page
        A lab's page.
    session_id : str
        The session.
    state : str
        Its state in words, in lower case.
    surfaces : list of str
        Which ones.
    moves : bool
        Whether the figures move: then several of them are compared.
    """
    page.evaluate("window.qsSeen = undefined")
    try:
        page.wait_for_function(
            AGREE, arg=[session_id, state, surfaces, moves], timeout=60_000, polling="raf"
        )
    except TimeoutError:
        raise AssertionError(
            (state, page.evaluate("window.qsSeen"), page.evaluate(READ, session_id))
        ) from None
