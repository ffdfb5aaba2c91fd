extension InterfacePage {
    static let styleSheet = """
        :root { color-scheme: light dark; --line: #d5d9e0; --ground: #ffffff; --raised: #f5f6f8; --text: #1d2129; --accent: #0b57d0; }
        @media (prefers-color-scheme: dark) {
          :root { --line: #3a3f4a; --ground: #16181d; --raised: #20232a; --text: #e6e8ec; --accent: #8ab4f8; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground); }
        header, main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
        nav ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
        a { color: var(--accent); }
        h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
        article { margin: 1.5rem 0; padding: 1rem; border: 1px solid var(--line); border-radius: .5rem; }
        h3 { margin: 0 0 .5rem; font-size: 1rem; overflow-wrap: anywhere; }
        .method { display: inline-block; min-width: 4rem; font: 600 .85rem ui-monospace, monospace; color: var(--accent); }
        code, pre { font: .9rem/1.45 ui-monospace, monospace; }
        pre { margin: .5rem 0 0; padding: .75rem; overflow: auto; background: var(--raised); border-radius: .375rem; }
        .wide { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: .9rem; }
        th, td { padding: .3rem .6rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }

        """
}
