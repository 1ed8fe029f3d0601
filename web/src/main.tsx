// SPDX-License-Identifier: Apache-2.0
import { render } from 'preact';
import { run } from './agent';
import { takeToken } from './api';
import { App } from './app';
import './style.css';

takeToken();
render(<App />, document.body);
void run();
