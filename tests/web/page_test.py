#!/usr/bin/env python3
"""The page in a browser, over a running agent. With $VANTAGE_SHOTS, it leaves screenshots there."""
import os
import sys
import tempfile
import unittest
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import agent  # noqa: E402
import browser  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402
import weather  # noqa: E402

SHOTS = os.environ.get("VANTAGE_SHOTS")
TEXT = "document.body.innerText"


@unittest.skipUnless(browser.program(), "chromium is not there")
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.agent = agent.Agent()
        cls.addClassCleanup(cls.agent.stop)
        cls.agent.wait_for("/api/v1/flows", lambda page: len(page["flows"]) >= 3)

    def page(self, query="", **options):
        page = browser.Browser(**options)
        self.addCleanup(page.__exit__)
        page.open(self.agent.url + "/" + query)
        page.wait("document.querySelector('.flows tbody tr')")
        return page

    def shoot(self, page, name):
        if SHOTS:
            page.screenshot(os.path.join(SHOTS, name + ".png"))

    def test_everything_is_there(self):
        """Rates, honesty, hierarchy, top-Ns, flows and workers are shown; no error, no outside request"""
        page = self.page(height=1500)
        page.wait("document.querySelector('.state.live')")
        for part in ("analysed", "Ethernet", "Top talkers", "Top services", "Active flows", "Workers"):
            page.wait(f"{TEXT}.includes('{part}')")
        page.wait("document.querySelector('.canvas canvas')?.width > 0")
        self.assertEqual(page.complaints(), [])
        self.assertEqual([url for url in page.requests() if not url.startswith(self.agent.url + "/")], [])
        self.shoot(page, "light")

    def test_dark_and_narrow(self):
        """Both themes and a narrow screen, which does not scroll sideways"""
        dark = self.page(height=1500, dark=True)
        background = "getComputedStyle(document.body).backgroundColor"
        self.assertEqual(dark.run(background), "rgb(13, 17, 23)")
        self.shoot(dark, "dark")
        narrow = self.page(width=390, height=2600)
        self.assertLessEqual(narrow.run("document.documentElement.scrollWidth"), 390)
        self.shoot(narrow, "narrow")

    def test_figures_move(self):
        """The stream moves the figures; the space bar stops them"""
        page = self.page()
        figure = "[...document.querySelectorAll('.figure small')].map(e => e.textContent).join()"
        first = page.run(figure)
        page.wait(f"{figure} !== {first!r}")
        page.press(" ")
        page.wait("document.querySelector('.state.paused')")
        self.assertEqual(page.run(f"new Promise(r => {{ const a = {figure}; setTimeout(() => r(a === {figure}), 2500); }})"), True)

    def test_filter(self):
        """The filter is typed, kept in the URL, explained when wrong, and cleared by Esc"""
        page = self.page()
        page.press("/")
        self.assertEqual(page.run("document.activeElement.id"), "filter")
        page.type("proto:tcp")
        page.wait("location.search.includes('filter=proto%3Atcp')")
        page.wait("[...document.querySelectorAll('.flows tbody tr')].every(r => r.cells[0].innerText === 'tcp')")
        page.type(" size:9")
        self.assertIn("is no filter", page.wait("document.querySelector('.problem')?.textContent"))
        page.press("Escape")
        page.wait("document.querySelector('#filter').value === '' && !document.querySelector('.problem')")
        again = self.page("?filter=proto:tcp")
        self.assertEqual(again.run("document.querySelector('#filter').value"), "proto:tcp")

    def test_keys_and_panel(self):
        """j and Enter open a flow with all its fields; Esc closes; ? explains"""
        page = self.page(height=1200)
        page.press("j")
        page.press("Enter")
        page.wait("document.querySelector('.side')")
        page.wait("document.querySelector('.side')?.innerText.includes('network.community_id')")
        self.shoot(page, "panel")
        page.press("Escape")
        page.wait("!document.querySelector('.side')")
        page.press("?")
        page.wait("document.querySelector('.help')")
        page.press("Escape")
        page.wait("!document.querySelector('.help')")
        page.press("t")
        page.wait("document.querySelector('.twin tbody tr')")

    def test_connections(self):
        """TCP connections with verdicts; a click opens one with its figures and its picture, Esc closes"""
        self.agent.wait_for("/api/v1/connections", lambda page: page["connections"])
        page = self.page(height=1500)
        page.wait("document.querySelector('.connections tbody tr')")
        page.wait("document.querySelectorAll('.connections .verdict').length > 0")
        page.run("document.querySelector('.connections').scrollIntoView()")
        self.shoot(page, "connections")
        drawn = next(one["flow"]["id"] for one in self.agent.get("/api/v1/connections")["connections"]
                     if self.graph(one["flow"]["id"])["drawn"] == "whole")
        page.open(self.agent.url + "/?connection=" + urllib.parse.quote(drawn, safe=""))
        page.wait("document.querySelector('.side.connection .graph svg path.mark')")
        text = page.run("document.querySelector('.side.connection').innerText")
        for part in ("place in the stream", "Drawn from its first packet", "Round trip, median", "Mbit/s"):
            self.assertIn(part, text)
        self.assertEqual(page.complaints(), [])
        self.shoot(page, "connection")
        page.press("Escape")
        page.wait("!document.querySelector('.side') && !location.search.includes('connection')")
        page.click(".connections tbody .open")
        page.wait("document.querySelector('.side.connection') && location.search.includes('connection=')")

    def graph(self, flow_id):
        return self.agent.get("/api/v1/connection?id=" + urllib.parse.quote(flow_id, safe=""))["graph"]

    def test_sort(self):
        """A click on a column sorts by it, a second one turns the order"""
        page = self.page()
        page.run("[...document.querySelectorAll('.sort')].find(b => b.textContent.startsWith('Packets')).click()")
        page.wait("document.querySelector('th[aria-sort]').textContent.startsWith('Packets')")
        page.click("th[aria-sort] .sort")
        page.wait("document.querySelector('th[aria-sort]').ariaSort === 'ascending'")
        page.wait("location.search.includes('sort=packets&order=asc')")

    def test_refine(self):
        """A click on a top talker filters the flows by it"""
        page = self.page()
        # In one go: another talker may be the first one a second later.
        talker = page.run("(l => { l.click(); return l.textContent; })(document.querySelector('.cards .link'))")
        page.wait(f"document.querySelector('#filter').value === 'ip:{talker}'")


@unittest.skipUnless(browser.program(), "chromium is not there")
class Paths(unittest.TestCase):
    """The latency weather, of clients from two countries."""

    def test_paths(self):
        """Worst paths first, beyond 300 ms marked; summed up by what is asked for; a port filters the flows"""
        folder = tempfile.TemporaryDirectory()  # there until the end: a replay begins again
        self.addCleanup(folder.cleanup)
        config = weather.configuration(folder.name, "replay", "api: {listen: '127.0.0.1:0'}\n")
        running = agent.Agent(command=["run", "-c", config])
        self.addCleanup(running.stop)
        running.wait_for("/api/v1/paths", lambda page: page["total"] == 3)
        page = browser.Browser(height=1500)
        self.addCleanup(page.__exit__)
        page.open(running.url)
        rows = "[...document.querySelectorAll('.paths tbody tr')].map(r => r.innerText.replace(/\\s+/g, ' '))"
        page.wait(f"{rows}.length === 3")
        slow, near, web = page.run(rows)
        self.assertRegex(slow, r"^NZ AS64500 Far Net paris:443 .* 4\d\d\.\d !")
        self.assertTrue(near.startswith("SE AS64501 Near Net paris:443"), near)
        self.assertTrue(web.startswith("SE AS64501 Near Net tokyo:80"), web)
        self.assertEqual(page.run("document.querySelectorAll('.trip.slow').length"), 1)
        self.assertIn("300 ms", page.run("document.querySelector('.paths header').innerText"))
        page.run("document.querySelector('.paths').scrollIntoView()")
        if SHOTS:
            page.screenshot(os.path.join(SHOTS, "paths.png"))
        page.run("[...document.querySelectorAll('.paths .switch button')].find(b => b.textContent === 'Zone').click()")
        page.wait(f"location.search === '?by=zone' && {rows}.length === 2")
        self.assertTrue(page.run(rows)[0].startswith("anywhere paris "))
        page.run("[...document.querySelectorAll('.paths .switch button')].find(b => b.textContent === 'Port').click()")
        page.wait(f"{rows}.some(r => r.startsWith('anywhere 80 '))")
        page.run("[...document.querySelectorAll('.paths .link')].find(b => b.textContent === '80').click()")
        page.wait("document.querySelector('#filter').value === 'proto:tcp port:80'")
        self.assertEqual(page.complaints(), [])


@unittest.skipUnless(browser.program(), "chromium is not there")
class Gone(unittest.TestCase):
    def test_agent_gone(self):
        """When the agent goes the page says so, and goes on by itself when it is back"""
        listen = f"127.0.0.1:{sockets.free_port()}"
        first = agent.Agent(listen=listen)
        self.addCleanup(first.stop)
        page = browser.Browser()
        self.addCleanup(page.__exit__)
        page.open(first.url)
        page.wait("document.querySelector('.state.live')")
        first.stop()
        page.wait("document.querySelector('.state.gone')?.textContent.includes('Agent gone')")
        second = agent.Agent(listen=listen)
        self.addCleanup(second.stop)
        page.wait("document.querySelector('.state.live')")


if __name__ == "__main__":
    tap.main()
